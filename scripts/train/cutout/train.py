"""Trains the cut-out net on the endless stream of data.py; a terminated run saves and can be resumed.

The learning rate warms up, holds, and falls as a cosine from --hold to --steps; a run may be resumed with other limits,
another size or newer labels. The moving average of the weights is what export.py takes.
"""
import copy
import math
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.utils.data import DataLoader

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # muon.py is shared

from common import parser
from data import Stream
from muon import Muon
from net import CutoutNet


def edges(x):
    """Differences to the right and downward, whose match keeps the alpha's edge where the picture's is."""
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def loss_of(logits, alpha):
    p = torch.sigmoid(logits)
    overlap = (p * alpha).sum((1, 2, 3))
    union = (p + alpha - p * alpha).sum((1, 2, 3))
    gradient = 0
    for scale in (1, 2):
        a, b = (x if scale == 1 else F.avg_pool2d(x, scale) for x in (p, alpha))
        gradient = gradient + sum((u - v).abs().mean() for u, v in zip(edges(a), edges(b)))
    bce = F.binary_cross_entropy_with_logits(logits, alpha)
    return bce + (1 - (overlap + 1) / (union + 1)).mean() + (p - alpha).abs().mean() + 2 * gradient


def learning_rate(step, peak, hold, steps):
    fall = 0.5 * (1 + math.cos(math.pi * min(1, max(0, step - hold) / max(1, steps - hold))))
    return peak * min(1, (step + 1) / 300) * max(fall, 0.005)


def optimisers_of(net, rate):
    """Muon for the kernels between stem and head, by shape; AdamW for everything else."""
    shapes, rest = {}, []
    for name, p in net.named_parameters():
        if p.ndim == 4 and not name.startswith(("stem", "head")):
            shapes.setdefault(tuple(p.shape), []).append(p)
        else:
            rest.append(p)
    return [torch.optim.AdamW(rest, rate, weight_decay=1e-3), Muon([{"params": g} for g in shapes.values()], 10 * rate)]


def average(ema, net, step, most):
    decay = min(most, (step + 1) / (step + 20))
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), net.state_dict().values()):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - decay)
            else:
                a.copy_(b)


def save(path, net, ema, optimisers, step):
    torch.save({"net": net.state_dict(), "ema": ema.state_dict(), "optimisers": [o.state_dict() for o in optimisers],
                "step": step, "rng": torch.get_rng_state()}, path + ".part")
    os.replace(path + ".part", path)


def share(net, processes):
    """Averages the gradients over the processes."""
    if processes == 1:
        return
    gradients = [p.grad for p in net.parameters()]
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    flat /= processes
    for g, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
        g.copy_(mean.view_as(g))


def any_stops(wishes, processes):
    """Whether one of the processes wants to stop: they have to at the same step."""
    wish = torch.tensor([float(bool(wishes))])
    if processes > 1:
        dist.all_reduce(wish)
    return wish.item() > 0


def train(rank, a):
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    if a.processes > 1:
        meeting = f"file://{os.path.join(os.path.abspath(a.cache), a.name + '.meeting')}"
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=a.processes)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    net = CutoutNet().to(device, memory_format=torch.channels_last)
    ema = copy.deepcopy(net)
    optimisers = optimisers_of(net, a.rate)
    path, step = os.path.join(a.cache, a.name + ".pt"), 0
    if os.path.exists(path):
        state = torch.load(path, map_location=device)
        net.load_state_dict(state["net"])
        ema.load_state_dict(state["ema"])
        for optimiser, saved in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        torch.set_rng_state(state["rng"].cpu())
        step = state["step"]
    # The stream restarts from (seed, step), so that a resumed run sees new pictures and a repeated one the same.
    stream = Stream(a.cache, a.size, a.batch, (a.seed, step, rank), a.real)
    loader = DataLoader(stream, batch_size=None, num_workers=a.workers, prefetch_factor=8 if a.workers else None)
    start, running, stopped = time.time(), None, []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    net.train()
    for images, alphas in loader:
        if any_stops(stopped or step >= a.steps or time.time() - start > a.minutes * 60, a.processes):
            break
        rate = learning_rate(step, a.rate, a.hold, a.steps)
        for optimiser, factor in zip(optimisers, (1, 10)):
            for group in optimiser.param_groups:
                group["lr"] = factor * rate
        x = (images.to(device).permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            logits = net(x)
        loss = loss_of(logits.float(), alphas.to(device)[:, None].float() / 255)
        net.zero_grad(set_to_none=True)
        loss.backward()
        share(net, a.processes)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        for optimiser in optimisers:
            optimiser.step()
        average(ema, net, step, a.average)
        step += 1
        running = loss.item() if running is None else 0.99 * running + 0.01 * loss.item()
        if step % 100 == 0 and not rank:
            print(f"step {step}  loss {running:.4f}  lr {rate:.2e}  {time.time() - start:.0f} s", flush=True)
        if step % 500 == 0 and not rank:
            save(path, net, ema, optimisers, step)
    if not rank:
        save(path, net, ema, optimisers, step)


def main():
    p = parser(__doc__)
    p.add_argument("--name", default="cutout", help="name of the checkpoint; resumed where it exists")
    p.add_argument("--steps", type=int, default=12000)
    p.add_argument("--hold", type=int, default=6000, help="step from which the learning rate falls")
    p.add_argument("--minutes", type=float, default=1e9, help="stop (resumable) after so long")
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--batch", type=int, default=8, help="pictures per step of each process")
    p.add_argument("--processes", type=int, default=1, help="they average their gradients: faster on a CPU than threads")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--average", type=float, default=0.998, help="share that the averaged weights keep of themselves per step")
    p.add_argument("--real", type=float, default=0.18, help="share of whole sellers' photographs")
    p.add_argument("--threads", type=int, default=2, help="of each process")
    p.add_argument("--workers", type=int, default=1, help="of each process, making pictures")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    meeting = os.path.join(a.cache, a.name + ".meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    if a.processes == 1:
        train(0, a)
    else:
        torch.multiprocessing.spawn(train, (a,), a.processes)


if __name__ == "__main__":
    main()
