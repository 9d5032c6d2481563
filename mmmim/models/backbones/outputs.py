"""What a plain vision transformer returns when nothing is masked, and which parameter lies how
deep.
"""

from torch import Tensor

OUT_TYPES = frozenset({'raw', 'cls_token', 'featmap', 'avg_featmap'})


class VisionOutputs:
    """Dense side of a backbone: mmpretrain's output types, layer depths and freezing.

    The class it is mixed into has ``layers``, ``out_indices``, ``out_type``, ``final_norm``,
    ``tap_norm``, ``num_prefix``, ``patch_embed``, ``_embed`` and ``_blocks``.
    """

    def encode_dense(self, images: Tensor) -> tuple[Tensor, ...]:
        """All tokens through all blocks: (N, C, H, W) -> one output per entry of ``out_indices``.

        Returns:
            Per output: (N, P + L, D) for 'raw', (N, D) for 'cls_token' and 'avg_featmap', (N, D,
                Gh, Gw) for 'featmap'.
        """
        grid = self.patch_embed.grid(images.shape[-2:])
        outputs = []
        for i, x in enumerate(self._blocks(self._embed(images, grid), grid)):
            if i in self.out_indices:
                last = i == len(self.layers) - 1 and self.final_norm
                outputs.append(self._format(self.ln1(x) if last or self.tap_norm else x, grid))
        return tuple(outputs)

    def _format(self, x: Tensor, grid) -> Tensor:
        if self.out_type == 'raw':
            return x
        if self.out_type == 'cls_token':
            return x[:, 0]
        patches = x[:, self.num_prefix :]
        if self.out_type == 'featmap':
            return patches.transpose(1, 2).reshape(len(x), -1, *grid)  # (N, D, Gh, Gw)
        return self.ln2(patches.mean(dim=1))

    def get_layer_depth(self, param_name: str, prefix: str = '') -> tuple[int, int]:
        """Depth of a parameter for layer-wise learning-rate decay.

        Returns:
            (depth, number of depths): 0 for the embedding, k + 1 for block k, the last for
                everything behind.
        """
        num_depths = len(self.layers) + 2
        name = param_name[len(prefix) :] if param_name.startswith(prefix) else None
        if name is None:
            return num_depths - 1, num_depths
        if name.startswith('layers.'):
            return int(name.split('.')[1]) + 1, num_depths
        if name.startswith('patch_embed') or name in ('cls_token', 'pos_embed', 'mask_token'):
            return 0, num_depths
        if name == 'mid_mask_token':
            return self.mid_mask_depth, num_depths
        return num_depths - 1, num_depths

    def _frozen(self):
        """The parts that ``frozen_stages`` holds still."""
        if self.frozen_stages < 0:
            return []
        parts = [self.patch_embed, self.drop_after_pos, *self.layers[: self.frozen_stages]]
        if self.frozen_stages == len(self.layers):
            parts += [
                part for part in (getattr(self, 'ln1', None), getattr(self, 'ln2', None)) if part
            ]
        return parts

    def _freeze_stages(self):
        for part in self._frozen():
            part.requires_grad_(False)
        if self.frozen_stages >= 0:
            for name in ('cls_token', 'pos_embed', 'mask_token'):
                if getattr(self, name, None) is not None:
                    getattr(self, name).requires_grad = False

    def train(self, mode: bool = True):
        """Set the mode, keeping frozen parts in eval."""
        super().train(mode)
        for part in self._frozen():
            part.eval()
        return self
