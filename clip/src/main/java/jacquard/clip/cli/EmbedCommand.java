package jacquard.clip.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.AtomicFile;
import jacquard.clip.data.FolderSource;
import jacquard.clip.image.Images;
import jacquard.clip.report.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "embed", mixinStandardHelpOptions = true, description = {"Writes normalised features: OUT.npy (float32, a row an input) and OUT.jsonl (what each row is).", "",
    "  ./jacquard embed runs/emoji-1/last pictures/ --text \"a cat\" --out features", "  python -c 'import numpy; print(numpy.load(\"features.npy\").shape)'", "",
    "Pictures that cannot be read are named and left out; exit status 1 then."})
final class EmbedCommand implements Callable<Integer> {
  @Mixin ModelOptions model;
  @Parameters(index = "1..*", paramLabel = "INPUT", description = "Pictures and folders of pictures; .txt files hold a text a line.") List<Path> inputs = List.of();
  @Option(names = "--text", description = "A text; may be repeated.") List<String> texts = List.of();
  @Option(names = "--out", defaultValue = "features", description = "Where to write, without the ending (default: ${DEFAULT-VALUE}).") String out;

  private record Row(String kind, String input, float[] features) {}

  @Override public Integer call() throws IOException {
    var pictures = new ArrayList<Path>();
    var all = new ArrayList<>(texts);
    for (var i : inputs) {
      if (Files.isDirectory(i)) pictures.addAll(FolderSource.pictures(i));
      else if (i.toString().endsWith(".txt")) all.addAll(lines(i));
      else pictures.add(i);
    }
    if (pictures.isEmpty() && all.isEmpty()) throw new IllegalArgumentException("nothing to embed: give pictures, folders, .txt files or --text");
    var rows = new ArrayList<Row>();
    int failed = 0;
    try (var clip = model.load(); var progress = Progress.of("embed", pictures.size() + all.size()).unit("inputs").open()) {
      for (int from = 0; from < pictures.size(); from += 64) {
        var part = new ArrayList<jacquard.clip.image.Picture>();
        var names = new ArrayList<Path>();
        for (var p : pictures.subList(from, Math.min(pictures.size(), from + 64))) {
          try { part.add(Images.read(p)); names.add(p); } catch (IOException e) { failed++; progress.say(e.getMessage()); }
        }
        float[][] f = clip.embed(part.toArray(jacquard.clip.image.Picture[]::new));
        for (int i = 0; i < f.length; i++) rows.add(new Row("image", names.get(i).toString(), f[i]));
        progress.advance(part.size());
      }
      float[][] f = clip.embedder().texts(all, progress);
      for (int i = 0; i < f.length; i++) rows.add(new Row("text", all.get(i), f[i]));
      if (failed > 0) progress.say("%,d of %,d pictures could not be read".formatted(failed, pictures.size()));
    }
    if (rows.isEmpty()) throw new IOException("no input could be read");
    var json = new StringBuilder();
    var mapper = new ObjectMapper();
    for (int i = 0; i < rows.size(); i++) json.append(mapper.createObjectNode().put("row", i).put(rows.get(i).kind, rows.get(i).input)).append('\n');
    AtomicFile.write(Path.of(out + ".npy"), npy(rows));
    AtomicFile.write(Path.of(out + ".jsonl"), json.toString().getBytes(StandardCharsets.UTF_8));
    System.out.println(rows.size() + " × " + rows.getFirst().features.length + " features in " + out + ".npy, their inputs in " + out + ".jsonl");
    return failed > 0 ? 1 : 0;
  }

  /// NumPy's format 1.0: magic, length of the header, the header padded to 64 bytes, the elements.
  private static List<String> lines(Path file) throws IOException {
    try { return Files.readAllLines(file).stream().filter(l -> !l.isBlank()).toList(); } catch (MalformedInputException e) { throw new IOException(file + " is no UTF-8 text, expected a text a line", e); }
  }

  private static byte[] npy(List<Row> rows) {
    int d = rows.getFirst().features.length;
    var head = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + rows.size() + ", " + d + "), }";
    head += " ".repeat(63 - (10 + head.length()) % 64) + "\n";
    var b = ByteBuffer.allocate(10 + head.length() + rows.size() * d * 4).order(ByteOrder.LITTLE_ENDIAN);
    b.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0).putShort((short) head.length()).put(head.getBytes(StandardCharsets.US_ASCII));
    for (var r : rows) for (float v : r.features) b.putFloat(v);
    return b.array();
  }
}
