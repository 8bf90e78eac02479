package jacquard.clip.tune.learned;

import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.model.tower.Tower;
import java.util.List;

/// A tower with something learned beside it, whose tensors are those of the tower.
interface Around extends Tower {
  Tower base();

  @Override default List<List<String>> groups() { return base().groups(); }
  @Override default List<String> undecayed() { return base().undecayed(); }
  @Override default List<String> buffers() { return base().buffers(); }
  @Override default List<Positions> positions() { return base().positions(); }
  @Override default List<String> obsolete() { return base().obsolete(); }
  @Override default OnDisk layout(String path) { return base().layout(path); }
  @Override default List<String> names(String path) { return base().names(path); }
}
