#!/usr/bin/env python3
"""Train the restoring net. Run again with the same --out to resume."""
import argparse
import copy
import math
import sys
import time
from pathlib import Path

import torch

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # muon.py is shared

import data
from muon import Muon
from net import Restorer

MATERIAL = Path(__file__).resolve().parents[4] / 'shared/training'


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='checkpoint, continued if it exists')
    parser.add_argument('--photos', type=Path, default=MATERIAL / 'photos')
    parser.add_argument('--clothing', type=Path, default=MATERIAL / 'clothing')
    parser.add_argument('--cache', type=Path, default=Path('training-cache/upscale'), help='decoded pictures')
    parser.add_argument('--init', type=Path, help='checkpoint whose averaged weights a new run starts from')
    parser.add_argument('--minutes', type=float, default=90, help='length of the schedule, all runs together')
    parser.add_argument('--decay', type=float, default=0.5, help='last part of the schedule, with a falling rate')
    parser.add_argument('--rate', type=float, default=1e-3, help="Adam's rate; Muon's is ten times as high")
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--patch', type=int, default=64, help='side of a crop in pixels')
    parser.add_argument('--channels', type=int, default=72)
    parser.add_argument('--blocks', type=int, default=9)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--save-every', type=int, default=100)
    return parser.parse_args()


def rate_factor(step, share, decay):
    """A short warm-up, a plateau, and half a cosine down to nothing over the last part."""
    fall = max(0.0, (share - (1 - decay)) / decay)
    return min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * min(1, fall)))


def loss_of(guess, truth, conditions):
    """
    Squared error, weighed by what is to be expected after such damage, so that each counts alike. Not by the error that there
    is, crop by crop: in a picture the textured places make most of the error, and must do so here.
    """
    noise, jpeg, blur = conditions.unbind(1)
    # Root mean squares on photographs, in 0..1.
    expected = torch.stack([noise * data.MOST_NOISE / 255, (jpeg > 0) * (0.012 + 0.03 * jpeg**2), 0.08 * blur])
    # What is left after restoring grows more slowly than the damage.
    weight = expected.square().sum(0).clamp(min=1e-6) ** -0.6
    return (weight * (guess - truth).square().mean((1, 2, 3))).mean()


def optimisers(net, rate):
    """Muon for the trunk's kernels, Adam for everything else."""
    trunk = [p for p in net.body.parameters() if p.dim() == 4]
    apart = {id(p) for p in trunk}
    rest = [p for p in net.parameters() if id(p) not in apart]
    found = [torch.optim.Adam(rest, lr=rate, betas=(0.9, 0.99)), Muon(trunk, lr=10 * rate)]
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
    data.pictures.build(o.cache, o.photos, o.clothing)
    batches = data.Batches(o.cache, o.patch, o.batch, o.seed)
    net = Restorer(o.channels, o.blocks).to(device, memory_format=torch.channels_last)
    if o.init and not o.out.exists():
        net.load_state_dict(torch.load(o.init, map_location=device, weights_only=False)['ema'])
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
    while (share := (time.time() - began) / (60 * o.minutes)) < 1:
        factor = rate_factor(step, share, o.decay)
        for optimiser in optims:
            for group in optimiser.param_groups:
                group['lr'] = group['full'] * factor
        damaged, conditions, clean, rng = batches.next()
        damaged, clean = (torch.from_numpy(x).to(device, memory_format=torch.channels_last) for x in (damaged, clean))
        conditions = torch.from_numpy(conditions).to(device)
        with torch.autocast(device, dtype=torch.bfloat16):
            guess = net(damaged, conditions)
        loss = loss_of(guess.float(), clean, conditions)
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
        if step % o.save_every == 0:
            seconds = time.time() - began
            print(f'step {step} loss {sum(losses) / len(losses):.5f} rate {factor:.3f} {seconds:.0f} s', flush=True)
            losses = []
            save(o.out, config=net.config, net=net.state_dict(), ema=ema.state_dict(), rng=rng, step=step,
                 seconds=seconds, optimisers=[x.state_dict() for x in optims])
    save(o.out, config=net.config, net=net.state_dict(), ema=ema.state_dict(), rng=rng, step=step,
         seconds=time.time() - began, optimisers=[x.state_dict() for x in optims])


if __name__ == '__main__':
    train(options())
