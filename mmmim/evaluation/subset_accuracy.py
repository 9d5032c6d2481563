"""Classification accuracy on the images of a list."""

import os

from mmpretrain.evaluation import Accuracy

from mmmim.registry import METRICS


@METRICS.register_module()
class SubsetAccuracy(Accuracy):
    """Accuracy over the images that a list names; the others of the data set are left out.

    With the list of scenes whose shape does not wear its home texture it tells how much of an
    accuracy is shape.

    Args:
        ann_file (str): Text file, one ``path label`` per line as in mmpretrain's ``CustomDataset``;
            an image belongs to the subset if its path ends in a listed path.
        **kwargs: Of mmpretrain's ``Accuracy``; ``prefix`` keeps it apart from the whole split.

    Raises:
        ValueError: If the list is missing or empty, or names none of the evaluated images.
    """

    default_prefix = 'subset'

    def __init__(self, ann_file, **kwargs):
        super().__init__(**kwargs)
        if not os.path.isfile(ann_file):
            raise ValueError(f'ann_file {ann_file!r} of SubsetAccuracy does not exist.')
        with open(ann_file, encoding='utf-8') as file:
            paths = [line.rsplit(maxsplit=1)[0] for line in file if line.strip()]
        if not paths:
            raise ValueError(f'ann_file {ann_file!r} of SubsetAccuracy is empty.')
        self.ann_file = ann_file
        self.depth = paths[0].count('/') + 1
        self.listed = set(paths)

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            if self._is_listed(sample['img_path']):
                super().process(data_batch, [sample])
            else:  # a place holder: across processes, results are interleaved by position
                self.results.append(None)

    def _is_listed(self, path):
        return '/'.join(path.replace(os.sep, '/').split('/')[-self.depth :]) in self.listed

    def compute_metrics(self, results):
        results = [result for result in results if result is not None]
        if not results:
            raise ValueError(f'{self.ann_file!r} names none of the evaluated images.')
        return super().compute_metrics(results)
