package jacquard.clip.eval.protocols;

import jacquard.clip.eval.sets.TestSet;

/// Which protocol a set is for.
public final class Protocols {
  private Protocols() {}

  /// What CLIP_benchmark's `auto` chooses.
  public static Protocol usual(TestSet set) {
    return switch (set.set().kind()) {
      case CLASSIFICATION, MULTILABEL -> new ZeroShot();
      case RETRIEVAL -> new Retrieval(Retrieval.USUAL);
      case SELECTION -> new Choosing();
      case ASSOCIATION -> new Associating();
      case OBJECTIVES -> new Faces();
      case AUDIT -> new Audit();
    };
  }
}
