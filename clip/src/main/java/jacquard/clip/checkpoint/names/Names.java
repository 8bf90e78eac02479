package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Weights;
import java.io.IOException;

/// Whose names the tensors of a file have: a row a project. OpenCLIP's own, and OpenAI's, which are the same, are the
/// last.
public enum Names {
  HUGGING_FACE {
    @Override boolean are(Weights w) {
      return w.names().stream().anyMatch(n -> n.startsWith("text_model.") || n.startsWith("vision_model."));
    }
    @Override Weights read(Weights w) throws IOException { return HuggingFace.read(w); }
  },
  BIG_VISION {
    @Override boolean are(Weights w) { return w.names().stream().anyMatch(n -> n.startsWith("params/img/")); }
    @Override Weights read(Weights w) throws IOException { return BigVision.read(w); }
  },
  EVA_CLIP {
    @Override boolean are(Weights w) { return EvaClip.are(w); }
    @Override Weights read(Weights w) throws IOException { return EvaClip.read(w); }
  },
  OPEN_CLIP {
    @Override boolean are(Weights w) { return true; }
    @Override Weights read(Weights w) { return w; }
  };

  abstract boolean are(Weights w);

  abstract Weights read(Weights w) throws IOException;

  /// The weights under OpenCLIP's names; closing them closes what was given.
  ///
  /// @throws IOException naming the file and the tensor that lacks or does not fit
  public static Weights openClip(Weights w) throws IOException {
    boolean read = false;
    try {
      for (var n : values()) {
        if (!n.are(w)) continue;
        var r = n.read(w);
        read = true;
        return r;
      }
      throw new AssertionError();
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) { throw new IOException(w.file() + ": "
        + e.getMessage(), e);
    }
    finally { if (!read) w.close(); }
  }
}
