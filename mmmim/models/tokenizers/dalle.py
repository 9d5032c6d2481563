"""The tokenizer of DALL-E, which BEiT and CAE predict."""

import torch
from mmpretrain.models.selfsup import cae
from torch import Tensor, nn

from mmmim.fast import is_fast
from mmmim.registry import MODELS

from .cells import LowPrecisionBody, cells_of, most_likely
from .weights import load_tokenizer

_REMEDY = (
    "give checkpoint=FILE with the state dict of openai/DALL-E's encoder (mmpretrain distributes "
    'it as dalle_encoder.pth; the pickled encoder.pkl is converted by '
    'torch.save(torch.load(FILE, weights_only=False).state_dict(), NEW_FILE))'
)


@MODELS.register_module()
class DALLEEncoder(nn.Module):
    """Encoder of DALL-E's discrete VAE (arXiv:2102.12092, appendix A.2): 8192 tokens of 8x8 pixels.

    mmpretrain's ``DALLEEncoder`` with DALL-E's own scaling of the input: 0.8 x + 0.1 of pixels in
    [0, 1]. On a GPU it computes in float16 but for the last layer, as the original does, and on a
    CPU under autocast likewise in bfloat16. The file holds no decoder, so tokens cannot be drawn.

    Args:
        checkpoint (str): File of its weights. Without one, weights are random.
        sha256 (str, optional): Expected digest of the file; the true one is printed.
        num_tokens (int): Size of the vocabulary.
        hidden_dims (int): Width of the first group.
        blocks_per_group (int): Residual blocks in each of the four groups.
        allow_pickle (bool): Read a pickled module. Only for files you trust.

    Raises:
        ValueError: If the file is not that of this tokenizer.
    """

    patch_size = 8

    rgb_only = True
    eight_bits_only = True

    def __init__(
        self,
        checkpoint=None,
        sha256=None,
        num_tokens=8192,
        hidden_dims=256,
        blocks_per_group=2,
        allow_pickle=False,
    ):
        super().__init__()
        self.num_tokens = num_tokens
        encoder = cae.DALLEEncoder(
            n_hid=hidden_dims, n_blk_per_group=blocks_per_group, vocab_size=num_tokens, device=None
        )
        self.blocks = encoder.blocks
        self.body = LowPrecisionBody(self.blocks)
        self.loaded = checkpoint is not None
        if self.loaded:
            load_tokenizer(self, checkpoint, _REMEDY, sha256, allow_pickle)

    @torch.no_grad()
    def tokenize(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 -> (N, H / 8, W / 8) int64."""
        maps = self.maps(images)
        with torch.autocast(images.device.type, enabled=False):
            return self.blocks[-1](maps).argmax(dim=1)

    @torch.no_grad()
    def tokenize_cells(self, images: Tensor, mask: Tensor) -> Tensor:
        """The tokens of masked cells: (N, 3, H, W) uint8, (N, H / 8, W / 8) bool -> (N, Lm)."""
        cells, last = cells_of(self.maps(images), mask), self.blocks[-1][-1]
        with torch.autocast(images.device.type, enabled=False):
            return most_likely(cells.relu(), last.w.flatten(1), last.b)

    def maps(self, images: Tensor) -> Tensor:
        """What the last layer reads, before its activation: (N, C, H / 8, W / 8)."""
        x, kind = images.float().div(255).mul(0.8).add(0.1), images.device.type
        low = kind == 'cpu' and torch.is_autocast_enabled(kind) and is_fast('tokenizer')
        with torch.autocast(kind, enabled=False):
            if low:
                return self.body(x, torch.get_autocast_dtype(kind))
            return self.blocks[:-1](x)
