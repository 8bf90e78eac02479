package jacquard.clip.tune.learned;

import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;

/// A text tower with something learned beside it.
interface AroundText extends Around, TextTower {
  @Override TextTower base();

  @Override default Encoding tokens(int[][] captions) { return base().tokens(captions); }
  @Override default TextInput input() { return base().input(); }
}
