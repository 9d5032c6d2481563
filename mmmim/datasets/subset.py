"""Few images of a large data set: which ones, and how an epoch is made of them."""

import os
from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from mmmim.registry import DATASETS

from .image_folder import ImageFolder, Index
from .randomness import philox
from .shards import ShardTable
from .sources import find_images

SAMPLING = ('random', 'one_class', 'one_per_class')
_SUBSET, _DRAW = 3, 4  # streams


def class_of(path: str) -> str:
    """Name of the folder that an image lies in, which is its class in ImageNet's layout."""
    return os.path.basename(os.path.dirname(path))


def choose_images(
    paths: Sequence[str],
    num_images: int | None = None,
    sampling: str = 'random',
    seed: int = 0,
    classes: Sequence[str] | None = None,
) -> list[int]:
    """Indices of the chosen images, ascending; a function of the arguments alone.

    Tables 6 to 8 of the occlusion-invariant paper: 1 to 1000 images of ImageNet, all from one
    class, at random, or one from each class. With the same seed a smaller number of images is a
    part of a larger one (but for ``one_class``, where the class must have enough).

    Args:
        paths: Paths below the root, ``class/name``.
        num_images: How many; None for all.
        sampling: 'random', 'one_class' or 'one_per_class'.
        seed: Of the choice; not the seed of the run, so that runs of several seeds share images.
        classes: Folder names to choose from; None for all.

    Raises:
        ValueError: If there are not as many images, or a class is missing.
    """
    if sampling not in SAMPLING:
        raise ValueError(f'sampling must be one of {SAMPLING}, got {sampling!r}.')
    members: dict[str, list[int]] = {}
    for index in range(len(paths)):
        members.setdefault(class_of(paths[index]), []).append(index)
    if classes is not None:
        missing = [name for name in classes if name not in members]
        if missing:
            raise ValueError(
                f'{len(missing)} of {len(classes)} classes have no folder with images, such as '
                f'{missing[0]!r}: check data_root and classes.'
            )
        members = {name: members[name] for name in classes}
    images = sorted(index for part in members.values() for index in part)
    if num_images is None:
        return images
    if num_images < 1:
        raise ValueError(f'num_images must be at least 1, got {num_images}.')
    keys = philox(seed, 0, 0, _SUBSET).random_raw(len(paths))
    order = sorted(members)
    ranks = np.argsort(philox(seed, 0, 1, _SUBSET).random_raw(len(order)), kind='stable')
    shuffled = [order[rank] for rank in ranks]
    if sampling == 'one_per_class':
        pool = [min(members[name], key=lambda index: keys[index]) for name in shuffled]
        what = 'classes'
    elif sampling == 'one_class':
        large = [name for name in shuffled if len(members[name]) >= num_images]
        pool = sorted(members[large[0]], key=lambda index: keys[index]) if large else []
        what = 'images in any class'
    else:
        pool, what = sorted(images, key=lambda index: keys[index]), 'images'
    if len(pool) < num_images:
        have = max(map(len, members.values())) if sampling == 'one_class' else len(pool)
        raise ValueError(
            f'num_images={num_images} with sampling={sampling!r}, but there are {have} {what}.'
        )
    return sorted(pool[:num_images])


@DATASETS.register_module()
class ImageSubset(ImageFolder):
    """An :class:`ImageFolder` of chosen classes or of few images.

    Args:
        data_root (str): See :class:`ImageFolder`; folders name the classes.
        num_images (int, optional): How many images; None for all.
        sampling (str): 'random', 'one_class' or 'one_per_class', see :func:`choose_images`.
        subset_seed (int): Of the choice.
        classes (list[str], optional): Folders to choose from.
        epoch_length (int, optional): Samples per epoch, drawn with replacement, each with
            augmentation and masks of its own [our reading of "5 epochs" on one image: 1,281,167, as
            many as ImageNet has]. None: each image once.
        files: See :class:`ImageFolder`.
        **kwargs: See :class:`ImageFolder`.

    Raises:
        ValueError: If there are not as many images, or ``epoch_length`` is not positive.
    """

    def __init__(
        self,
        data_root: str,
        num_images: int | None = None,
        sampling: str = 'random',
        subset_seed: int = 0,
        classes: Sequence[str] | None = None,
        epoch_length: int | None = None,
        files: str | Sequence[str] | None = None,
        **kwargs,
    ) -> None:
        if epoch_length is not None and epoch_length < 1:
            raise ValueError(f'ImageSubset: epoch_length must be positive, got {epoch_length}.')
        table = find_images(data_root, files)
        if isinstance(table, ShardTable):
            raise ValueError(
                f"ImageSubset chooses among files: unpack '{data_root}' into a folder."
            )
        chosen = choose_images(table, num_images, sampling, subset_seed, classes)
        self.epoch_length = epoch_length
        self.choice = (
            f'{len(chosen)} of {len(table)} images below {table.root or data_root}, '
            f'sampling {sampling}, seed {subset_seed}'
        )
        root = table.root or '.'
        super().__init__(root, [table[index] for index in chosen], **kwargs)

    def __len__(self) -> int:
        """Samples per epoch."""
        return len(self.paths) if self.epoch_length is None else self.epoch_length

    def draw(self, epoch: int, index: int) -> int:
        """Which image is sample ``index`` of an epoch, where they are drawn with replacement."""
        return int(philox(self.seed, epoch, index, _DRAW).random_raw()) % len(self.paths)

    def __getitem__(self, index: Index) -> dict | None:
        """As :class:`ImageFolder`; drawn with replacement, ``sample_index`` is the sample's place
        in the epoch, so that repeated images differ in augmentation and mask."""
        if self.epoch_length is None:
            return super().__getitem__(index)
        epoch, index = index if isinstance(index, tuple) else (0, index)
        return self._item(self.draw(epoch, index), epoch, index)[0]

    def write_list(self, path: str) -> None:
        """Write the chosen paths as a list file, which ``files`` takes back."""
        lines = [f'# {self.choice}', *(self.paths[index] for index in range(len(self.paths)))]
        with open(path, 'w', encoding='utf-8', errors='surrogateescape') as file:
            file.write('\n'.join(lines) + '\n')


@DATASETS.register_module()
class LabelledSubset(Dataset):
    """Chosen classes, or few images, of a labelled data set of mmpretrain: the supervised rows.

    Labels count the chosen classes in alphabetical order. With the same arguments it has the same
    images as :class:`ImageSubset` of the training folder.

    Args:
        dataset (dict): Config of mmpretrain's ``ImageNet`` or another with a folder per class.
        num_images, sampling, subset_seed, classes: See :class:`ImageSubset`.

    Raises:
        ValueError: If there are not as many images, or a class is missing.
    """

    def __init__(
        self, dataset, num_images=None, sampling='random', subset_seed=0, classes=None
    ) -> None:
        self.dataset = DATASETS.build(dataset)
        self.dataset.full_init()
        infos = [self.dataset.get_data_info(index) for index in range(len(self.dataset))]
        order = sorted(range(len(infos)), key=lambda i: os.fsencode(infos[i]['img_path']))
        paths = [infos[index]['img_path'] for index in order]
        chosen = choose_images(paths, num_images, sampling, subset_seed, classes)
        self.indices = [order[index] for index in chosen]
        self.labels = {name: label for label, name in enumerate(sorted(classes or ()))}

    def __len__(self) -> int:
        return len(self.indices)

    def full_init(self) -> None:
        """Done already; wrappers of mmengine ask for it."""

    def get_data_info(self, index: int) -> dict:
        info = self.dataset.get_data_info(self.indices[index])
        if self.labels:
            info['gt_label'] = self.labels[class_of(info['img_path'])]
        return info

    def __getitem__(self, index: int):
        return self.dataset.pipeline(self.get_data_info(index))

    def __getattr__(self, name):
        if name == 'dataset':  # not yet there while being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)
