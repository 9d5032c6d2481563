"""Beyond Masking's zooms in loops, written from the formulas, at sizes that are not square."""

import math

import numpy as np
import torch

P, SIZE, WIDE, INNER = 4, (12, 16), (18, 22), (7, 10)
GRID = (3, 4)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TARGET = dict(patch_size=P, normalize='none', per_channel=True)
EDGE = [dict(type='mmmim.MaskedRegressionLoss'), dict(type='mmmim.BorderLoss')]


def batch(height, width, samples=2):
    index = torch.arange(samples)
    image = torch.randn(samples, 3, height, width)
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def zoomed_in():
    views = batch(*WIDE)
    wide = views['image']
    return {**views, 'wide': wide, 'image': wide[:, :, 3:15, 3:19]}


def loop_area(image, size):
    """Mean over all pixels that a new pixel touches: (H, W, C) -> (*size, C)."""
    height, width, _ = image.shape
    out = np.zeros((*size, image.shape[2]))
    for i in range(size[0]):
        top, bottom = i * height // size[0], math.ceil((i + 1) * height / size[0])
        for j in range(size[1]):
            left, right = j * width // size[1], math.ceil((j + 1) * width / size[1])
            out[i, j] = image[top:bottom, left:right].mean((0, 1))
    return out


def loop_normalised(image):
    """(x - mean) / (std + 1e-6) over the pixels of each patch, per channel, unbiased."""
    out = np.zeros_like(image)
    for i in range(0, image.shape[0], P):
        for j in range(0, image.shape[1], P):
            patch = image[i : i + P, j : j + P]
            std = np.sqrt(((patch - patch.mean((0, 1))) ** 2).sum((0, 1)) / (P * P - 1))
            out[i : i + P, j : j + P] = (patch - patch.mean((0, 1))) / (std + 1e-6)
    return out


def pixels(image):
    """(C, H, W) normalised by channel -> (H, W, C) in [0, 1], float64."""
    return image.permute(1, 2, 0).double().numpy() * STD + MEAN


def image_of(pred):
    """One prediction (L, T), values of a patch in the order (p, p, C) -> (H, W, C)."""
    out = np.zeros((*SIZE, 3))
    for cell, values in enumerate(pred.detach().double().numpy()):
        i, j = (cell // GRID[1]) * P, (cell % GRID[1]) * P
        out[i : i + P, j : j + P] = values.reshape(P, P, 3)
    return out


def loop_zoom_in(pred, views, mask):
    """0.8 of the masked error on the centre, 0.2 of the four means on the border."""
    patches, count, strips = 0.0, 0, [[], [], [], []]
    for n in range(len(pred)):
        wide_pred = loop_area(image_of(pred[n]), WIDE)
        error = (wide_pred[3:15, 3:19] - loop_normalised(pixels(views['image'][n]))) ** 2
        for row in range(GRID[0]):
            for column in range(GRID[1]):
                if mask is None or mask[n, row, column]:
                    cell = error[row * P : row * P + P, column * P : column * P + P]
                    patches, count = patches + cell.mean(), count + 1
        whole = loop_normalised(loop_area(pixels(views['wide'][n]), SIZE))
        border = (wide_pred - loop_area(whole, WIDE)) ** 2
        strips[0].append(border[:3])
        strips[1].append(border[15:])
        strips[2].append(border[3:15, :3])
        strips[3].append(border[3:15, 19:])
    return 0.8 * patches / count + 0.2 * sum(np.mean(strip) for strip in strips)


def loop_zoom_out(image, geometry, n):
    """(H, W, C) in the prediction's frame -> mirrored in the encoder's."""
    small = loop_area(image, INNER)
    top, left = int(geometry.top[n]), int(geometry.left[n])
    rows, columns = (top, SIZE[0] - INNER[0] - top), (left, SIZE[1] - INNER[1] - left)
    return np.pad(small, (rows, columns, (0, 0)), mode='symmetric')
