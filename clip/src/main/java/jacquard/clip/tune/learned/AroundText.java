package jacquard.clip.tune.learned;

import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import java.util.List;

/// A text tower with something learned beside it.
interface AroundText extends TextTower {
  TextTower base();

  @Override default Encoding tokens(int[][] captions) { return base().tokens(captions); }
  @Override default TextInput input() { return base().input(); }
  @Override default List<List<String>> groups() { return base().groups(); }
  @Override default List<String> undecayed() { return base().undecayed(); }
  @Override default List<String> buffers() { return base().buffers(); }
  @Override default List<Positions> positions() { return base().positions(); }
  @Override default List<String> obsolete() { return base().obsolete(); }
  @Override default OnDisk layout(String path) { return base().layout(path); }
  @Override default List<String> names(String path) { return base().names(path); }
}
