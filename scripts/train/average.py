#!/usr/bin/env python3
"""Average the weights of checkpoints that come from one another (a "model soup", Wortsman et al. 2022)."""
import argparse
from pathlib import Path

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('checkpoints', type=Path, nargs='+')
    parser.add_argument('--weights', choices=['net', 'ema'], default='net', help='the last ones, or their running mean')
    parser.add_argument('--out', type=Path, required=True)
    o = parser.parse_args()
    first, *others = (torch.load(path, map_location='cpu', weights_only=False) for path in o.checkpoints)
    if any(other.get('config') != first.get('config') for other in others):
        raise SystemExit('Expected nets of one shape')
    nets = [saved[o.weights] for saved in (first, *others)]
    # Counts, such as those of batches, are not for averaging.
    mean = {name: sum(net[name] for net in nets) / len(nets) if value.is_floating_point() else value
            for name, value in nets[0].items()}
    kept = {name: first[name] for name in ('config', 'step') if name in first}
    torch.save({**kept, 'ema': mean}, o.out)


if __name__ == '__main__':
    main()
