/** Resolves with the first truthy value of `check`, looked up every few milliseconds; throws at the deadline. */
export async function until<T>(
  check: () => T | Promise<T>,
  what: string,
  deadlineMs = 20_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  while (performance.now() < end) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Not within ${deadlineMs} ms: ${what}`);
}
