#!/usr/bin/env python3
"""Train an upscaler on photographs and generated pictures. Run again with the same --out to resume."""
import argparse
import copy
import math
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # muon.py is shared

import data
from muon import Muon
from net import Upscaler

HERE = Path(__file__).resolve()
MATERIAL = HERE.parents[4] / 'shared/training'


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--scale', type=int, choices=data.SCALES, required=True)
    parser.add_argument('--out', type=Path, required=True, help='checkpoint, continued if it exists')
    parser.add_argument('--photos', type=Path, default=MATERIAL / 'photos')
    parser.add_argument('--clothing', type=Path, default=MATERIAL / 'clothing')
    parser.add_argument('--cache', type=Path, default=Path('training-cache/upscale'), help='decoded pictures')
    parser.add_argument('--init', type=Path, help='checkpoint whose trunk a new run starts from')
    parser.add_argument('--steps', type=int, default=20000)
    parser.add_argument('--decay', type=float, default=0.5, help='last part of the steps, with a falling rate')
    parser.add_argument('--rate', type=float, default=1e-3, help="Adam's rate; Muon's is ten times as high")
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--damaged', type=float, default=0, help='share of crops that are blurred, noisy and compressed')
    parser.add_argument('--edges', type=float, default=0, help='weight of the absolute error of luma steps between pixels')
    parser.add_argument('--patch', type=int, default=40, help='side of a crop in input pixels')
    parser.add_argument('--channels', type=int, default=48)
    parser.add_argument('--blocks', type=int, default=8)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--save-every', type=int, default=100)
    parser.add_argument('--stop-at', type=int, help='leave the schedule at this step, to be resumed')
    return parser.parse_args()


def rate_factor(step, steps, decay):
    """A short warm-up, a plateau, and half a cosine down to nothing over the last part."""
    fall = max(0.0, (step - steps * (1 - decay)) / (steps * decay))
    return min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(1, fall)))


def loss_of(guess, truth, edges=0):
    """Absolute error of the colours, and again of the luma, where the eye sees detail, and of its steps if wanted."""
    error = guess - truth
    luma = (error * error.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)
    steps = edges * (luma.diff(dim=1).abs().mean() + luma.diff(dim=2).abs().mean()) if edges else 0
    return 0.5 * error.abs().mean() + luma.abs().mean() + steps


def optimisers(net, rate):
    """Muon for the trunk's kernels (it learns faster by a third), Adam for everything else."""
    trunk = [p for p in net.body.parameters() if p.dim() == 4]
    skip = list(net.skip.parameters())
    apart = {id(p) for p in trunk + skip}
    rest = [p for p in net.parameters() if id(p) not in apart]
    # The skip starts as bicubic, already nearly right, and flat areas hang on it.
    found = [torch.optim.Adam([{'params': rest, 'lr': rate}, {'params': skip, 'lr': rate / 10}], betas=(0.9, 0.99)),
             Muon(trunk, lr=10 * rate)]
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
    data.build(o.cache, o.photos, o.clothing)
    batches = data.Batches(o.cache, o.scale, o.patch, o.batch, o.seed, o.damaged)
    net = Upscaler(o.scale, o.channels, o.blocks).to(device, memory_format=torch.channels_last)
    if o.init and not o.out.exists():
        weights = torch.load(o.init, map_location=device)['ema']
        net.load_state_dict({k: v for k, v in weights.items() if k.startswith(('head', 'body'))}, strict=False)
    ema = copy.deepcopy(net)
    optims = optimisers(net, o.rate)
    step = seconds = 0
    if o.out.exists():
        saved = torch.load(o.out, map_location=device)
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
        small, large, rng = batches.next()
        small, large = (torch.from_numpy(x).to(device, memory_format=torch.channels_last) for x in (small, large))
        with torch.autocast(device, dtype=torch.bfloat16):
            guess = net(small)
        loss = loss_of(guess.float(), large, o.edges)
        net.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in optims:
            optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(0.999, 1 - 1 / (step + 1))
            for mean, now in zip(ema.parameters(), net.parameters()):
                mean.lerp_(now, 1 - keep)
        losses.append(loss.item())
        if step % o.save_every == 0 or step == last:
            seconds = time.time() - began
            print(f'step {step} loss {sum(losses) / len(losses):.5f} rate {factor:.3f} {seconds:.0f} s', flush=True)
            losses = []
            save(o.out, config=net.config, net=net.state_dict(), ema=ema.state_dict(), rng=rng, step=step,
                 seconds=seconds, optimisers=[x.state_dict() for x in optims])


if __name__ == '__main__':
    train(options())
