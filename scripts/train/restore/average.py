#!/usr/bin/env python3
"""Average the last weights of checkpoints that come from one another (a "model soup", Wortsman et al. 2022)."""
import argparse
from pathlib import Path

import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoints', type=Path, nargs='+')
    parser.add_argument('--out', type=Path, required=True)
    o = parser.parse_args()
    saved = [torch.load(path, map_location='cpu', weights_only=False) for path in o.checkpoints]
    if any(other['config'] != saved[0]['config'] for other in saved):
        raise SystemExit('Expected nets of one shape')
    mean = {name: sum(other['net'][name] for other in saved) / len(saved) for name in saved[0]['net']}
    torch.save({'config': saved[0]['config'], 'ema': mean, 'step': saved[-1]['step']}, o.out)


if __name__ == '__main__':
    main()
