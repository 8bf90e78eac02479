package jacquard.clip.eval.protocols;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.captioning.Captioned;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.model.coca.Generation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Captions that the model writes, beside those of people: BLEU, ROUGE-L, CIDEr. The captions themselves go into a file
/// that COCO's tools read, for METEOR and SPICE.
///
/// @param captions the folder of that file; null for none
public record Captioning(Path captions) implements Protocol {
  @Override public String task() { return "captioning"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    var set = parts.test();
    if (!(set.truth() instanceof Truth.Captions truth))
      throw new IOException(set.folder() + " has no captions, expected some for " + task());
    var generation = subject.clip().generation(new Generation.Beams(6), 30, 5, 1);
    List<String> written = new ArrayList<>();
    List<List<String>> references = new ArrayList<>();
    var numbers = new ArrayList<Integer>();
    int missing = 0;
    for (int i = 0; i < set.size(); i++) {
      try {
        written.add(subject.clip().caption(set.pictures().at(i), "", generation));
        references.add(truth.of().get(i));
        numbers.add(i);
      } catch (IOException unreadable) { missing++; }
      advance.by(1);
    }
    if (written.isEmpty()) throw new IOException("no picture of " + set.folder() + " could be read");
    var r = Measured.empty(written.size(), missing);
    r.metrics().putAll(Captioned.scores(written, references));
    if (captions != null) write(set.set().name(), numbers, written);
    return r;
  }

  private void write(String name, List<Integer> numbers, List<String> written) throws IOException {
    var array = new ObjectMapper().createArrayNode();
    for (int i = 0; i < written.size(); i++) array.addObject().put("image_id", numbers.get(i))
        .put("caption", written.get(i));
    Files.createDirectories(captions);
    AtomicFile.write(captions.resolve(name.replaceAll("[^\\p{L}\\p{N}.-]", "_") + "_captions.json"),
        array.toPrettyString() + "\n");
  }
}
