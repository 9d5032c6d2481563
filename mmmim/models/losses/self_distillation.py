"""Cross-entropy between the prototype scores of a momentum encoder and of the encoder."""

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmmim.registry import MODELS

from ..step_follower import StepFollower


class Center(StepFollower, nn.Module):
    """Running mean of the teacher's scores, moved once per optimizer step.

    DINO (arXiv:2104.14294, Eq. 4): ``c <- m * c + (1 - m) * mean of the batch`` over all processes;
    with gradient accumulation, over all micro-batches of a step.

    Args:
        num_prototypes (int): K.
        momentum (float): m.
    """

    def __init__(self, num_prototypes: int, momentum: float = 0.9):
        super().__init__()
        self.momentum = momentum
        self.register_buffer('mean', torch.zeros(num_prototypes))
        self.register_buffer('pending', torch.zeros(num_prototypes), persistent=False)
        self.register_buffer('count', torch.zeros(()), persistent=False)

    @torch.no_grad()
    def observe(self, scores: Tensor) -> None:
        """Note a micro-batch: (..., K), as many per process."""
        mean = scores.flatten(0, -2).mean(0, dtype=torch.float32)
        all_reduce(mean, op='mean')
        self.pending += mean
        self.count += 1

    @torch.no_grad()
    def after_step(self) -> None:
        """Take what has been noted into the mean; nothing happens if nothing has."""
        seen = self.count > 0
        batch = torch.where(seen, self.pending / self.count.clamp(min=1), self.mean)
        self.mean.lerp_(batch, 1 - self.momentum)
        self.pending.zero_()
        self.count.zero_()


@MODELS.register_module()
class SelfDistillationLoss(nn.Module):
    """Cross-entropy between centred teacher and student, over pairs of different views.

    DINO, arXiv:2104.14294, Eqs. 1 to 4. The teacher's temperature is that of the epoch of each
    sample, so a loss is a function of its batch and the centre.

    Args:
        num_prototypes (int): K.
        student_temp (float): Temperature of the student.
        teacher_temp (tuple): First and last temperature of the teacher. DINO's code 0.04
            throughout; its README's advice, and iBOT, 0.04 to 0.07.
        warmup_epochs (int): Epochs from the first to the last, linearly.
        center_momentum (float): See :class:`Center`.

    Raises:
        ValueError: If a temperature is not positive or the warm-up negative.
    """

    def __init__(
        self,
        num_prototypes,
        student_temp=0.1,
        teacher_temp=(0.04, 0.07),
        warmup_epochs=30,
        center_momentum=0.9,
    ):
        super().__init__()
        if not min(student_temp, *teacher_temp) > 0:
            raise ValueError(
                f'SelfDistillationLoss: student_temp={student_temp} and teacher_temp='
                f'{tuple(teacher_temp)} must be positive.'
            )
        if warmup_epochs < 0:
            raise ValueError(f'SelfDistillationLoss: warmup_epochs={warmup_epochs} is negative.')
        self.student_temp, self.teacher_temp = student_temp, tuple(teacher_temp)
        self.warmup_epochs, self.num_prototypes = warmup_epochs, num_prototypes
        self.center = Center(num_prototypes, center_momentum)

    def temperature(self, epoch: Tensor) -> Tensor:
        """The teacher's temperature: (N,) epochs from 0 -> (N,) float32."""
        low, high = self.teacher_temp
        done = epoch.float() / max(self.warmup_epochs - 1, 1)
        warming = low + (high - low) * done.clamp(max=1)
        return torch.where(epoch < self.warmup_epochs, warming, torch.full_like(warming, high))

    @torch.no_grad()
    def assign(self, scores: Tensor, epoch: Tensor, observe: bool = True) -> Tensor:
        """The teacher's probabilities, and its scores noted for the centre while training.

        Args:
            scores: (T, N, ..., K), the teacher's views.
            epoch: (N,) int64.
            observe: Note the scores; False where :meth:`observe` has been told of more of them.

        Returns:
            The same shape, float32, summing to 1.
        """
        with torch.autocast(scores.device.type, enabled=False):
            temp = self.temperature(epoch).view(1, -1, *[1] * (scores.dim() - 2))
            probs = ((scores.float() - self.center.mean) / temp).softmax(-1)
        if observe:
            self.observe(scores)
        return probs

    def observe(self, scores: Tensor) -> None:
        """Note the teacher's scores (..., K) for the centre, in train mode."""
        if self.training:
            self.center.observe(scores)

    def log_probs(self, scores: Tensor) -> Tensor:
        """The student's log-probabilities: (..., K) -> (..., K) float32."""
        return (scores.float() / self.student_temp).log_softmax(-1)

    def forward(self, scores: Tensor, probs: Tensor) -> Tensor:
        """
        Args:
            scores: (V, N, K), the student's views; the first T are those of the teacher.
            probs: (T, N, K) of :meth:`assign`.

        Returns:
            Scalar float32: mean over samples and the T * (V - 1) pairs of different views.
        """
        with torch.autocast(scores.device.type, enabled=False):
            # every pair at once, as one product of matrices
            pairs = -probs.flatten(1) @ self.log_probs(scores).flatten(1).T  # (T, V)
            views, samples = scores.shape[:2]
            total = pairs.sum() - pairs.diagonal().sum()
            return total / (len(probs) * (views - 1) * samples)


@MODELS.register_module()
class MaskedSelfDistillationLoss(SelfDistillationLoss):
    """The same between masked patches and the clean patches of the same view.

    iBOT, arXiv:2111.07832, Eq. 2: per view and image the mean over its masked patches (0 without
    any), then the mean over images and views. The centre is over all patches.
    """

    def forward(self, scores: Tensor, probs: Tensor, hidden: Tensor) -> Tensor:
        """
        Args:
            scores: (T, N, M, K), the student's scores of M candidate cells.
            probs: (T, N, M, K), the teacher's probabilities of the same.
            hidden: (T, N, M) bool, which of them are masked.

        Returns:
            Scalar float32.
        """
        with torch.autocast(scores.device.type, enabled=False):
            error = -(probs * self.log_probs(scores)).sum(-1)  # (T, N, M)
            count = hidden.sum(-1).clamp(min=1)
            return ((error * hidden).sum(-1) / count).mean()
