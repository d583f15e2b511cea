/** How far away what is seen at a place (in fractions of width and height) is; 1 is the plane of the picture. */
export type Relief = (x: number, y: number) => number;
