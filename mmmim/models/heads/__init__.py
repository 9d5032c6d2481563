from .attentive import AttentiveClsHead, AttentivePool

__all__ = ['AttentiveClsHead', 'AttentivePool']
