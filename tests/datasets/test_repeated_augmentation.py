"""mmpretrain's sampler does what DeiT's recipe asks for, so that none of ours is needed."""

import numpy as np
import pytest
from mmpretrain.datasets.samplers import RepeatAugSampler, repeat_aug


@pytest.mark.parametrize('ranks', [1, 2, 3, 4])
def test_three_copies_in_a_row_over_all_ranks(monkeypatch, ranks):
    """A third of the images per epoch, each three times; copies lie on neighbouring ranks."""
    shares = []
    for rank in range(ranks):
        monkeypatch.setattr(repeat_aug, 'get_dist_info', lambda rank=rank: (rank, ranks))
        sampler = RepeatAugSampler(range(24), num_repeats=3, seed=5)
        epochs = []
        for epoch in range(2):
            sampler.set_epoch(epoch)
            epochs.append(list(sampler))
        assert len(sampler) == len(epochs[0]) == 24 // ranks
        shares.append(epochs)
    for epoch in range(2):
        merged = np.array([share[epoch] for share in shares]).T.reshape(-1)
        groups = merged.reshape(8, 3)
        assert (groups == groups[:, :1]).all()
        assert len(np.unique(groups[:, 0])) == 8
    assert shares[0][0] != shares[0][1]
