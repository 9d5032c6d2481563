"""Contrastive learning of two views with a momentum encoder."""

from mmpretrain.models.selfsup import BaseSelfSupervisor
from torch import Tensor, nn

from mmmim.registry import MODELS

from ..momentum import MomentumEncoder
from .fit import check_mask_tokens, check_width, require_equal


class Projected(nn.Module):
    """Backbone and projector as one module, for the average of both."""

    def __init__(self, backbone, neck):
        super().__init__()
        self.backbone, self.neck = backbone, neck

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, D)."""
        return self.neck(self.backbone(images)[-1])


@MODELS.register_module()
class TwoViewContrast(BaseSelfSupervisor):
    """Tell the two views of an image from those of all others.

    MoCo v3 (arXiv:2104.02057, algorithm 1): queries pass backbone, projector and predictor, keys
    the momentum average of backbone and projector; both directions are added. mmpretrain's MoCoV3
    moves the average once per micro-batch where gradients accumulate, ours once per step of the
    optimizer.

    Views: 'view1' and 'view2' (N, C, H, W).

    Args:
        backbone (dict): Gives one vector per image (``out_type='cls_token'``).
        neck (dict): Projector, such as ``mmmim.ProjectionMLP``.
        predictor (dict): Likewise.
        loss (dict): ``(query, key) -> scalar``, such as ``mmmim.InfoNCELoss``.
        momentum (float): First momentum; a cosine takes it to 1.
        data_preprocessor (dict, optional): Normalises the views.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If the backbone gives no vectors.
    """

    predicts = 'none'
    reconstructs = False

    def __init__(
        self,
        backbone,
        neck,
        predictor,
        loss,
        momentum=0.99,
        data_preprocessor=None,
        init_cfg=None,
    ):
        super().__init__(
            backbone=backbone,
            neck=neck,
            data_preprocessor=data_preprocessor
            or dict(type='mmmim.ViewsPreprocessor', normalize=('view1', 'view2')),
            init_cfg=init_cfg,
        )
        out_type = getattr(self.backbone, 'out_type', None)
        if out_type not in ('cls_token', 'avg_featmap'):
            raise ValueError(
                f'model.backbone.out_type={out_type!r} gives no vector per image: '
                "use a backbone with 'cls_token' or 'avg_featmap'."
            )
        self.predictor = MODELS.build(predictor)
        self.loss_module = MODELS.build(loss)
        check_width(self.backbone, self.neck)
        check_mask_tokens(self.backbone, None)
        require_equal(
            'predictor.in_dims', self.predictor.in_dims, 'neck.out_dims', self.neck.out_dims
        )
        self.momentum_encoder = MomentumEncoder(
            Projected(self.backbone, self.neck), momentum, schedule='cosine', when='before'
        )

    def extract_feat(self, inputs):
        """Features of clean images: a views dict, of which 'view1', or (N, C, H, W)."""
        return self.backbone(inputs['view1'] if isinstance(inputs, dict) else inputs)

    def reconstruct(self, inputs: dict, mask: Tensor | None = None):
        """Vectors have no pixels.

        Raises:
            ValueError: Always.
        """
        raise ValueError('Contrastive learning predicts vectors, which cannot be drawn as pixels.')

    def loss(self, inputs: dict, data_samples=None) -> dict:
        """The loss of a batch.

        Args:
            inputs: The views.
            data_samples: Unused; mmengine passes it.

        Returns:
            dict(loss=scalar float32).
        """
        # one view after the other: batch norms of the heads see the statistics of one view
        views = [inputs['view1'], inputs['view2']]
        queries = [self.predictor(self.neck(self.backbone(view)[-1])) for view in views]
        keys = [self.momentum_encoder(view) for view in views]
        return dict(
            loss=self.loss_module(queries[0], keys[1]) + self.loss_module(queries[1], keys[0])
        )
