"""Order of the samples: a function of (seed, epoch), whatever the number of processes."""

import itertools
from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmmim.registry import DATA_SAMPLERS

from .randomness import permutation


@DATA_SAMPLERS.register_module()
class EpochSampler(Sampler):
    """Yields ``(epoch, index)``, so that workers that live through all epochs know the epoch.

    The global order of an epoch is one permutation. Rank r of W takes positions r, r + W, ...;
    hence the W micro-batches of size B that are processed together are positions
    ``[m * W * B, (m + 1) * W * B)`` of it, and an optimizer step over A such rounds is
    ``[k * E, (k + 1) * E)`` with E = A * W * B: the same set of samples for every split of the same
    effective batch E. That the last step of an epoch agrees too needs ``multiple_of=E``.

    Args:
        dataset: The data set. Its ``set_seed(seed)`` is called if it has one: mmengine tells the
            seed of the run to the sampler alone.
        seed (int, optional): Equal on all ranks. None agrees on a random one.
        shuffle (bool): False keeps the order of the data set.
        round_up (bool): Fill the last round by repeating the first samples of the permutation
            instead of dropping the incomplete round.
        multiple_of (int, optional): Samples per epoch over all ranks are a multiple of this
            number: the effective batch, or by default the number of ranks.
        endless (bool): A pass never ends, epoch follows epoch; for loops that count iterations.

    Raises:
        ValueError: If ``multiple_of`` is no positive multiple of the number of ranks, or if nothing
            is left of the data set after dropping the incomplete round.
    """

    def __init__(
        self,
        dataset,
        seed: int | None = None,
        shuffle: bool = True,
        round_up: bool = False,
        multiple_of: int | None = None,
        endless: bool = False,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.seed = sync_random_seed() if seed is None else int(seed)
        self.shuffle, self.endless = shuffle, endless
        self.epoch = 0
        self.position = 0
        self.total = self._round(len(dataset), multiple_of, round_up)
        if hasattr(dataset, 'set_seed'):
            dataset.set_seed(self.seed)

    def _round(self, length: int, multiple_of: int | None, round_up: bool) -> int:
        unit = self.world_size if multiple_of is None else multiple_of
        if unit < 1 or unit % self.world_size:
            raise ValueError(
                f'EpochSampler: multiple_of={multiple_of} must be a positive multiple of the '
                f'{self.world_size} processes; use the effective batch.'
            )
        total = -(-length // unit) * unit if round_up else length // unit * unit
        if total == 0:
            raise ValueError(
                f'EpochSampler: {length} samples do not fill one round of {unit}: use a smaller '
                'effective batch, or round_up=True to repeat samples.'
            )
        return total

    def order(self, epoch: int) -> np.ndarray:
        """(total,) int64, the sample indices of an epoch over all ranks in the order of use."""
        length = len(self.dataset)
        order = permutation(self.seed, epoch, length) if self.shuffle else np.arange(length)
        return np.resize(order, self.total)  # cuts, or repeats from the start

    def __iter__(self) -> Iterator[tuple[int, int]]:
        epoch, start = self.epoch, self.position
        self.position = 0
        if not self.endless:
            return self._pass(epoch, start)
        later = (self._pass(following, 0) for following in itertools.count(epoch + 1))
        return itertools.chain(self._pass(epoch, start), itertools.chain.from_iterable(later))

    def _pass(self, epoch: int, start: int) -> Iterator[tuple[int, int]]:
        """This rank's share of an epoch after ``start`` samples of the global order."""
        mine = self.order(epoch)[start + self.rank :: self.world_size]
        return ((epoch, index) for index in mine.tolist())

    def skip(self, samples: int) -> None:
        """Start the next pass after ``samples`` samples of this rank, counted from epoch 0.

        The contract of mmengine's ``InfiniteSampler``: its loop calls this on a resume.
        """
        epoch, position = divmod(samples * self.world_size, self.total)
        self.set_epoch(epoch)
        self.set_position(position)

    def __len__(self) -> int:
        """Samples of this rank in a whole epoch, also where the next pass starts later."""
        return self.total // self.world_size

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass (mmengine's DistSamplerSeedHook calls this)."""
        self.epoch = int(epoch)

    def set_position(self, position: int) -> None:
        """Start the next pass after ``position`` samples of the global order; later passes at 0.

        No sample is read to get there, so a resume in the middle of an epoch costs nothing.

        Args:
            position: Samples consumed in this epoch over all ranks: rounds * batch size * ranks.

        Raises:
            ValueError: If it lies outside the epoch or would give the ranks unequal shares.
        """
        if not 0 <= position <= self.total or position % self.world_size:
            raise ValueError(
                f'EpochSampler: position {position} must be a multiple of {self.world_size} '
                f'(processes) between 0 and {self.total} (samples per epoch).'
            )
        self.position = int(position)

    def state_dict(self) -> dict:
        """What must agree between two runs that continue each other; all but the position."""
        keys = ('seed', 'epoch', 'total', 'shuffle')
        return {key: getattr(self, key) for key in keys}

    def load_state_dict(self, state: dict, position: int = 0) -> None:
        """Continue another run's order.

        Args:
            state: Result of :meth:`state_dict`, of a run with any number of processes.
            position: Samples that run consumed in ``state['epoch']`` over all its ranks.

        Raises:
            ValueError: If the samples per epoch differ, since the order would differ.
        """
        if state['total'] != self.total:
            raise ValueError(
                f'EpochSampler: the run to continue used {state["total"]} samples per epoch, this '
                f'one uses {self.total}: the data or the effective batch has changed.'
            )
        self.seed, self.shuffle = state['seed'], state['shuffle']
        if hasattr(self.dataset, 'set_seed'):
            self.dataset.set_seed(self.seed)
        self.set_epoch(state['epoch'])
        self.set_position(position)
