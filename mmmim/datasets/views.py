"""Several views of one decoded image."""

from collections.abc import Mapping

import torch

from mmmim.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MultiView:
    """Run one image through several pipelines, each with random numbers of its own.

    What stands before it in the pipeline is shared: a crop and flip there, and colours in the
    branches, give views of the same geometry.

    Args:
        views (dict): Name of a view -> list of transforms, as configs or callables. A view named
            'image' takes the place of the decoded image; without one, that is dropped.
        repeats (dict, optional): Name -> K: the pipeline runs K times and the results are stacked
            to (K, C, h, w), as for the local crops of DINO (arXiv:2104.14294, section 3.1).

    Raises:
        ValueError: If there is no view, or ``repeats`` names an unknown view or no positive count.
    """

    def __init__(self, views: Mapping, repeats: Mapping | None = None) -> None:
        if not views:
            raise ValueError('MultiView: views is empty: give at least one name and its pipeline.')
        self.repeats = dict(repeats or {})
        for name, count in self.repeats.items():
            if name not in views or not isinstance(count, int) or count < 1:
                raise ValueError(
                    f'MultiView: repeats={{{name!r}: {count!r}}} must give a positive number of '
                    f'crops for one of the views {sorted(views)}.'
                )
        self.views = {
            name: [TRANSFORMS.build(t) if isinstance(t, Mapping) else t for t in pipeline]
            for name, pipeline in views.items()
        }

    def __call__(self, results: dict) -> dict:
        source = results.pop('image')
        made = {}
        for name, pipeline in self.views.items():
            crops = [self._run(pipeline, source, results) for _ in range(self.repeats.get(name, 1))]
            made[name] = torch.stack(crops) if name in self.repeats else crops[0]
        return {**results, **made}

    @staticmethod
    def _run(pipeline, image, results):
        # One generator for all: each branch continues where the one before stopped.
        results = dict(results, image=image)
        for transform in pipeline:
            results = transform(results)
        return results['image']
