"""Starting a pass over the data in its middle, without reading what lies before."""

import itertools


class LateStart:
    """A batch sampler whose next pass leaves out its first batches; later passes are whole."""

    def __init__(self, batches, skip):
        self.batches, self.skip = batches, skip

    def __iter__(self):
        # A generator: a loader asks for an iterator twice and uses the second.
        skip, self.skip = self.skip, 0
        yield from itertools.islice(iter(self.batches), skip, None)

    def __len__(self):
        return len(self.batches)

    def __getattr__(self, name):
        if name in ('batches', 'skip'):  # not yet there while being unpickled
            raise AttributeError(name)
        return getattr(self.batches, name)


def skip_batches(loader, count):
    """Let the next pass of a loader start after ``count`` batches.

    Indices are drawn and dropped, no sample is read; a million takes a fraction of a second.

    Args:
        loader (DataLoader): With batches, whose order depends on seed and epoch alone.
        count (int): Batches; 0 changes nothing.
    """
    if count <= 0:
        return
    batches = loader.batch_sampler
    if isinstance(batches, LateStart):
        batches.skip = count
        return
    # DataLoader forbids this by plain assignment, since a pass under way would not notice.
    object.__setattr__(loader, 'batch_sampler', LateStart(batches, count))
