"""Fourier spectra of images and patches, and the weighting that looks at frequencies in error."""

import torch
from torch import Tensor


def patch_spectrum(patches: Tensor, patch_size: int) -> Tensor:
    """Orthonormal 2-D Fourier transform of each patch and channel.

    Args:
        patches: (..., p * p * C) real, values in the order (p, p, C).
        patch_size: Side p in pixels.

    Returns:
        (..., 2 * p * p * C) float32, real and imaginary part side by side.
    """
    square = patches.float().unflatten(-1, (patch_size, patch_size, -1))
    return torch.view_as_real(torch.fft.fft2(square, dim=(-3, -2), norm='ortho')).flatten(-4)


def patch_pixels(spectrum: Tensor, patch_size: int) -> Tensor:
    """The inverse of :func:`patch_spectrum`, its imaginary part dropped: (..., p * p * C)."""
    parts = spectrum.float().unflatten(-1, (patch_size, patch_size, -1, 2)).contiguous()
    return torch.fft.ifft2(torch.view_as_complex(parts), dim=(-3, -2), norm='ortho').real.flatten(
        -3
    )


def focal_error(squared: Tensor, dims: tuple[int, int], alpha: float = 1.0) -> Tensor:
    """Squared spectral distances, weighted by how far off each frequency is.

    Focal frequency loss (Jiang et al., ICCV 2021) as A2MIM uses it: |d|**alpha -> log(1 + w) ->
    divided by its maximum over the frequencies, in [0, 1], without gradient.

    Args:
        squared: |d|**2, any shape.
        dims: The two axes of the frequencies.
        alpha: Exponent of the distance.

    Returns:
        The mean, scalar.
    """
    weight = squared.detach().sqrt().pow(alpha).log1p()
    most = weight.amax(dim=dims, keepdim=True)
    weight = torch.where(most > 0, weight / most, 0.0).clamp(0, 1)
    return (weight * squared).mean()
