package jacquard.clip.tune.task;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// A task of which a run keeps what is trained: the rest is read again from where it came.
interface TrainedAlone extends Around {
  @Override default Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    parameters().trained().forEach((p, t) -> r.put(p, new Safetensors.Array(t.shape().dims(), t.floats())));
    return r;
  }

  @Override default void restore(Weights file, String prefix) throws IOException {
    for (var e : parameters().trained().entrySet()) Checkpoint.put(e.getValue(), file.floats(prefix + e.getKey()));
  }
}
