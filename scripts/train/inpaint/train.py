#!/usr/bin/env python3
"""Train the inpainting net on photographs and generated pictures. Run again with the same --out to resume."""
import argparse
import copy
import math
import sys
import time
from collections import defaultdict
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # muon.py is shared

import data
from muon import Muon
from net import InpaintNet, fill

LEVELS = 3


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='checkpoint, continued if it exists')
    parser.add_argument('--cache', type=Path, default=Path('training-cache/upscale'),
                        help='decoded pictures, as ../upscale/train.py leaves them')
    parser.add_argument('--init', type=Path, help='checkpoint whose weights a new run starts from')
    parser.add_argument('--steps', type=int, default=7000)
    parser.add_argument('--decay', type=float, default=0.8, help='last part of the steps, with a falling rate')
    parser.add_argument('--rate', type=float, default=7e-4, help="Adam's rate; Muon's is ten times as high")
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--side', type=int, default=128, help='side of a crop')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--save-every', type=int, default=100)
    parser.add_argument('--stop-at', type=int, help='leave the schedule at this step, to be resumed')
    return parser.parse_args()


def rate_factor(step, steps, decay):
    """A short warm-up, a plateau, and half a cosine down to nothing over the last part."""
    rise = max(0.0, (step - steps * (1 - decay)) / (steps * decay))
    return min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(1, rise)))


def loss_of(results, truth, mask):
    """
    Logarithm of the squared error in the hole, which is what decibels measure, so that easy and hard pictures count alike;
    at every level against the truth made as small. Also the decibels of the finest level and of its membrane.
    """
    total, decibels = 0, None
    for level, (guess, smooth) in enumerate(results):
        area = 3 * mask.sum((1, 2, 3)) + 1
        error = lambda made: ((made.float() - truth) * mask).square().sum((1, 2, 3)) / area + 1e-4
        logarithm = error(guess).log10().mean()
        if level == 0:
            decibels = -10 * torch.stack([logarithm.detach(), error(smooth.detach()).log10().mean()])
        total = total + 0.5**level * logarithm
        truth, mask = F.avg_pool2d(truth, 2), F.avg_pool2d(mask, 2)
    return total, decibels


def optimisers(net, rate):
    """Muon for the trunk's kernels, Adam for everything else."""
    shapes = defaultdict(list)
    for kernel in net.trunk():
        shapes[kernel.shape].append(kernel)
    apart = {id(p) for p in net.trunk()}
    rest = [p for p in net.parameters() if id(p) not in apart]
    found = [torch.optim.Adam(rest, lr=rate, betas=(0.9, 0.99)),
             Muon([{'params': kernels} for kernels in shapes.values()], lr=10 * rate)]
    for optimiser in found:
        for group in optimiser.param_groups:
            group['full'] = group['lr']
    return found


def save(path, **state):
    """Replace the checkpoint in one step, so that an interruption never leaves half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix('.part'))
    path.with_suffix('.part').replace(path)


def train(o):
    torch.manual_seed(o.seed)
    torch.set_num_threads(o.threads)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    batches = data.Batches(o.cache, o.side, o.batch, o.seed)
    net = InpaintNet().to(device, memory_format=torch.channels_last)
    if o.init and not o.out.exists():
        net.load_state_dict(torch.load(o.init, map_location=device)['ema'])
    ema = copy.deepcopy(net)
    optims = optimisers(net, o.rate)
    step = seconds = 0
    if o.out.exists():
        saved = torch.load(o.out, map_location=device, weights_only=False)
        net.load_state_dict(saved['net'])
        ema.load_state_dict(saved['ema'])
        for optimiser, state in zip(optims, saved['optimisers']):
            optimiser.load_state_dict(state)
        batches.rng.bit_generator.state = saved['rng']
        step, seconds = saved['step'], saved['seconds']
    batches.start()
    began, losses = time.time() - seconds, []
    last = min(o.steps, o.stop_at or o.steps)
    while step < last:
        factor = rate_factor(step, o.steps, o.decay)
        for optimiser in optims:
            for group in optimiser.param_groups:
                group['lr'] = group['full'] * factor
        truth, mask, rng = batches.next()
        truth, mask = (torch.from_numpy(x).to(device) for x in (truth, mask))
        with torch.autocast(device, dtype=torch.bfloat16):
            results = fill(net, (truth * (1 - mask)).contiguous(memory_format=torch.channels_last), mask, LEVELS)
        loss, decibels = loss_of(results, truth, mask)
        net.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in optims:
            optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(0.999, 1 - 1 / (step + 1))
            for mean, now in zip(ema.parameters(), net.parameters()):
                mean.lerp_(now, 1 - keep)
        losses.append((loss.item(), *decibels.tolist()))
        if step % o.save_every == 0 or step == last:
            seconds = time.time() - began
            total, made, smooth = (sum(x) / len(losses) for x in zip(*losses))
            print(f'step {step} loss {total:.4f} {made:.2f} dB, membrane {smooth:.2f} dB, rate {factor:.3f} '
                  f'{seconds:.0f} s', flush=True)
            losses = []
            save(o.out, config=net.config, net=net.state_dict(), ema=ema.state_dict(), rng=rng, step=step,
                 seconds=seconds, optimisers=[x.state_dict() for x in optims])


if __name__ == '__main__':
    train(options())
