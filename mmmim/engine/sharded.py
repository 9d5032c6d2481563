"""Models whose parameters are spread over the processes: FSDP2 of torch, for ViT-H and larger."""

from inspect import signature

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

from mmmim.registry import HOOKS, MODEL_WRAPPERS

from .errors import ConfigError

try:
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
    from torch.distributed.tensor import DTensor, distribute_tensor

    AVAILABLE = 'src_data_rank' in signature(distribute_tensor).parameters
except ImportError:  # torch before 2.6
    AVAILABLE = False

BLOCKS = ('Block', 'BEiTBlock', 'RegressorBlock')


@MODEL_WRAPPERS.register_module()
class FullyShardedModel(nn.Module):
    """Each process keeps a share of the parameters, gradients and optimizer states (FSDP2).

    ``model_wrapper_cfg = dict(type='mmmim.FullyShardedModel')`` takes the place of DDP; one
    process runs the plain model. The parameters of a block are gathered when it computes and let
    go after. Zhao et al., arXiv:2304.11277, on torch's ``fully_shard``. Gradients are reduced in
    every micro-batch, so that those of an unfinished accumulation are spread too.

    Checkpoints are the same as without: full tensors, and either kind of run resumes them.

    Args:
        module (BaseModel): Its weights are initialised here: the parts have no whole to do it by.
        blocks (Sequence[str]): Classes of the modules that are gathered one at a time; the
            parameters outside stay together.
        reshard_after_forward (bool): Let go between forward and backward too; False keeps the
            parameters until then, which sends a third less.
        param_dtype (str, optional): Type in which parameters are gathered and modules compute,
            such as 'bfloat16', which halves what is sent; gradients are reduced in float32.

    Raises:
        ValueError: If no module is of a class in ``blocks``.
        ConfigError: If this torch is older than 2.7.
    """

    def __init__(self, module, blocks=BLOCKS, reshard_after_forward=True, param_dtype=None):
        super().__init__()
        if not AVAILABLE:
            raise ConfigError(
                f'FullyShardedModel needs torch 2.7 or newer, {torch.__version__} is installed: '
                'leave out model_wrapper_cfg, or install a newer one.'
            )
        initialise(module)
        found = [child for child in module.modules() if type(child).__name__ in blocks]
        if not found:
            raise ValueError(
                f'FullyShardedModel: the model has no {" or ".join(blocks)}; name the classes of '
                'its blocks in model_wrapper_cfg.blocks.'
            )
        words = dict(reshard_after_forward=reshard_after_forward, mesh=mesh_of(module))
        if param_dtype is not None:
            dtype = getattr(torch, param_dtype)
            words['mp_policy'] = MixedPrecisionPolicy(dtype, torch.float32)
        for child in found:
            fully_shard(child, **words)
        self.module = fully_shard(module, **words)
        print_log(f'FSDP2: {len(found)} blocks and the rest are spread.', 'current')

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def train_step(self, data, optim_wrapper):
        return self.module.train_step(data, optim_wrapper)

    def val_step(self, data):
        return self.module.val_step(data)

    def test_step(self, data):
        return self.module.test_step(data)


def refuse_average(cfg):
    """Refuse a config that averages weights beside the training.

    Raises:
        ConfigError: If a hook is mmengine's ``EMAHook`` or made of it.
    """
    hooks = [hook for hook in cfg.get('custom_hooks') or [] if isinstance(hook, dict)]
    types = [hook.get('type') for hook in hooks]
    with HOOKS.switch_scope_and_registry(None) as registry:
        classes = [registry.get(kind) if isinstance(kind, str) else kind for kind in types]
    for kind, found in zip(types, classes):
        if isinstance(found, type) and issubclass(found, EMAHook):
            raise ConfigError(
                f'model_wrapper_cfg: averaged weights ({kind}) copy the model, which '
                'FullyShardedModel has spread: leave out one of the two.'
            )


def initialise(module):
    """Initialise a model and make it the same on all processes, as mmengine's runner does."""
    if hasattr(module, 'init_weights'):
        module.init_weights()
    for value in module.state_dict().values():
        broadcast(value)


def mesh_of(module):
    """All processes in a row, on the kind of device that the parameters are on."""
    device = next(module.parameters()).device.type
    return init_device_mesh(device, (torch.distributed.get_world_size(),))


def is_sharded(model):
    return AVAILABLE and isinstance(model, FSDPModule)


def is_spread(tensor):
    return AVAILABLE and isinstance(tensor, DTensor)


def whole(tensor):
    """A tensor without its spread; a collective if it has one, else the tensor itself."""
    return tensor.full_tensor() if is_spread(tensor) else tensor


def gathered(tensor):
    """The whole on the first process, nothing on the others; all must call it."""
    tensor = whole(tensor)
    return tensor if is_main_process() else tensor.new_empty(0)


def shared_as(like, tensor):
    """Our share of a whole tensor, spread as ``like``; the tensor itself if ``like`` is whole."""
    if not is_spread(like) or tensor.shape != like.shape:
        return tensor
    tensor = tensor.to(like.device)
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)


def share_checkpoint(model, optimizer, content):
    """Spread the weights and the optimizer's state of a checkpoint as those of a model are.

    Args:
        model (nn.Module): Sharded, without its wrapper.
        optimizer (Optimizer, optional): Of its parameters.
        content (dict): Of a checkpoint; ``state_dict`` and ``optimizer`` are replaced.
    """
    own = model.state_dict()
    content['state_dict'] = {
        name: shared_as(own.get(name.removeprefix('module.')), tensor)
        for name, tensor in content['state_dict'].items()
    }
    if optimizer is None or 'optimizer' not in content:
        return
    parameters = [p for group in optimizer.param_groups for p in group['params']]
    states = content['optimizer']['state']
    states = {
        index: {
            name: shared_as(parameters[index], value) if torch.is_tensor(value) else value
            for name, value in state.items()
        }
        for index, state in states.items()
    }
    content['optimizer'] = dict(content['optimizer'], state=states)
