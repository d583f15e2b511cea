"""Muon: momentum whose every step is made orthogonal, so that all directions of a kernel learn alike."""
import torch


def orthogonalise(matrices, rounds=5):
    """Newton-Schulz iteration towards the nearest semi-orthogonal matrices: [k, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """For kernels of one shape, taken as matrices of outputs by inputs times taps."""

    def __init__(self, params, lr, momentum=0.95):
        super().__init__(params, {'lr': lr, 'momentum': momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            steps = []
            for p in group['params']:
                state = self.state[p]
                if 'momentum' not in state:
                    state['momentum'] = torch.zeros_like(p)
                state['momentum'].lerp_(p.grad, 1 - group['momentum'])
                # Nesterov's look ahead: the mean as it will be if the gradient stays.
                steps.append(p.grad.lerp(state['momentum'], group['momentum']).flatten(1))
            for p, update in zip(group['params'], orthogonalise(torch.stack(steps))):
                p.add_(update.view_as(p), alpha=-group['lr'])
