"""Histograms of oriented gradients against loops and against mmpretrain's generator."""

import math

import pytest
import torch
from mmpretrain.models.selfsup.maskfeat import HOGGenerator

from mmmim.models.targets import HOGTarget


def reflect(index, size):
    """Position -1 is 1, position size is size - 2."""
    index = abs(index)
    return 2 * (size - 1) - index if index >= size else index


def loop_hog(image, patch, bins, pool):
    """(L, T) of one image (C, H, W), pixel by pixel, in Python floats."""
    channels, height, width = image.shape
    squares = {}
    for c in range(channels):
        at = image[c].double().tolist()

        def pixel(y, x, at=at):
            return at[reflect(y, height)][reflect(x, width)]

        for y in range(height):
            for x in range(width):
                gx = sum(
                    weight * (pixel(y + dy, x - 1) - pixel(y + dy, x + 1))
                    for dy, weight in ((-1, 1), (0, 2), (1, 1))
                )
                gy = sum(
                    weight * (pixel(y - 1, x + dx) - pixel(y + 1, x + dx))
                    for dx, weight in ((-1, 1), (0, 2), (1, 1))
                )
                direction = math.floor(math.atan2(gx, gy) / math.pi * bins) % bins
                square = squares.setdefault((c, y // pool, x // pool), [0.0] * bins)
                square[direction] += math.hypot(gx, gy)
    side, cells = patch // pool, []
    for row in range(height // patch):
        for column in range(width // patch):
            values = []
            for c in range(channels):
                block = [
                    squares[c, row * side + dy, column * side + dx]
                    for dy in range(side)
                    for dx in range(side)
                ]
                lengths = [math.hypot(*square) for square in block]
                values += [
                    square[b] / length
                    for b in range(bins)
                    for square, length in zip(block, lengths)
                ]
            cells.append(values)
    return torch.tensor(cells)


@pytest.mark.parametrize(('patch', 'pool', 'bins'), [(8, 4, 9), (8, 8, 6)])
def test_target_equals_the_loop(patch, pool, bins):
    """On a grid that is not square; whole numbers, as mirrored edges have exact directions."""
    image = torch.randint(0, 256, (2, 3, 16, 24)).float()
    target = HOGTarget(patch, bins, pool)
    found = target(dict(image=image))
    assert found.shape == (2, 6, target.dims)
    expected = torch.stack([loop_hog(one, patch, bins, pool) for one in image])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('window', [0, 16])
def test_target_is_mmpretrains(window):
    """On its one grid. Its default window of 16 is not what MaskFeat's ImageNet recipe has."""
    image = torch.randn(1, 3, 224, 224)
    expected = HOGGenerator(gaussian_window=window)(image)
    found = HOGTarget(gaussian_window=window)(dict(image=image))
    assert found.shape == (1, 196, 108)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_window_that_mmpretrain_adds_by_default_changes_the_target():
    image = torch.randn(1, 3, 224, 224)
    ours = HOGTarget()(dict(image=image))
    assert (ours - HOGGenerator()(image)).abs().max() > 0.05


def test_mmpretrains_generator_knows_one_grid():
    """Its reshaping to 14x14 is written into it: on 8x8 patches it gives another number."""
    assert HOGGenerator(gaussian_window=0)(torch.randn(1, 3, 128, 128)).shape[1] != 64


def test_constant_images_have_no_direction_and_scales_do_not_matter():
    flat = HOGTarget(8, pool=4)(dict(image=torch.full((1, 3, 16, 16), 0.3)))
    assert not flat.any()
    image = torch.rand(1, 3, 16, 16)
    scaled = (image - torch.rand(1, 3, 1, 1)) / torch.tensor([0.2, 0.3, 0.25]).view(1, 3, 1, 1)
    target = HOGTarget(8, pool=4)
    torch.testing.assert_close(
        target(dict(image=scaled)), target(dict(image=image)), rtol=0, atol=1e-4
    )


def test_options_are_checked():
    with pytest.raises(ValueError, match='pool 6 does not divide patch_size 16'):
        HOGTarget(pool=6)
    with pytest.raises(ValueError, match='gaussian_window 16 does not divide the image size 24x24'):
        HOGTarget(8, gaussian_window=16)(dict(image=torch.zeros(1, 3, 24, 24)))
    with pytest.raises(ValueError, match='patch_size 8 does not divide the image size 20x16'):
        HOGTarget(8)(dict(image=torch.zeros(1, 3, 20, 16)))
    with pytest.raises(ValueError, match='cannot be mapped back to pixels'):
        HOGTarget().to_rgb(torch.zeros(1, 196, 108))
