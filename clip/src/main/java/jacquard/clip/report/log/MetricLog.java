package jacquard.clip.report.log;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.report.Chart;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Metrics as JSON lines: one object a line, `{"step":12,"loss":1.5}`, each line handed to the system as a whole when
/// it is written.
///
/// Not-a-number and infinities, which JSON lacks, are written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`.
public final class MetricLog implements AutoCloseable {
  private static final ObjectMapper JSON = new JsonMapper();
  private final Path file;
  private final FileChannel channel;

  /// One line.
  ///
  /// @param step   how many steps the run had made
  /// @param values the other members in the order of the line
  public record Entry(long step, Map<String, JsonNode> values) {
    /// The value as a number; NaN if it is absent or no number.
    public double number(String name) {
      var node = values.get(name);
      if (node == null) return Double.NaN;
      if (node.isNumber()) return node.doubleValue();
      return switch (node.asText()) {
        case "Infinity" -> Double.POSITIVE_INFINITY;
        case "-Infinity" -> Double.NEGATIVE_INFINITY;
        default -> Double.NaN;
      };
    }
  }

  private MetricLog(Path file, StandardOpenOption how) throws IOException {
    this.file = file;
    Files.createDirectories(file.toAbsolutePath().getParent());
    channel = FileChannel.open(file, how, StandardOpenOption.APPEND);
  }

  /// Begins a log. A file that exists is an error, lest a run writes over another's.
  public static MetricLog create(Path file) throws IOException {
    try {
      return new MetricLog(file, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(file + ": there already is a metric log; resume it, or choose another folder", e);
    }
  }

  /// Continues a log from a step: lines of later steps, which will be made again, and a last line cut off by a crash
  /// are dropped. The file is rewritten whole or not at all. A file that is missing is begun.
  public static MetricLog resume(Path file, long step) throws IOException {
    if (Files.exists(file)) {
      String kept = parse(file).stream().filter(line -> line.entry.step <= step).map(line -> line.text + "\n")
          .collect(Collectors.joining());
      AtomicFile.write(file, kept.getBytes(StandardCharsets.UTF_8));
    }
    return new MetricLog(file, StandardOpenOption.CREATE);
  }

  /// Writes one line: the step, then the values (numbers, strings, booleans, lists, maps) in their own order.
  public synchronized void write(long step, Map<String, ?> values) {
    if (values.containsKey("step")) throw new IllegalArgumentException(file + ": a metric may not be called 'step'");
    var line = new LinkedHashMap<String, Object>();
    line.put("step", step);
    line.putAll(values);
    try {
      var bytes = ByteBuffer.wrap((JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) channel.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot write the metrics of step " + step, e);
    }
  }

  @Override public void close() throws IOException { channel.close(); }

  /// Reads a log; a last line cut off by a crash is left out, any other bad line is an error that names it.
  public static List<Entry> read(Path file) throws IOException {
    return parse(file).stream().map(Line::entry).toList();
  }

  /// One metric of a log as a curve over steps; lines without it are left out.
  public static Chart.Series series(List<Entry> entries, String metric) {
    var with = entries.stream().filter(e -> e.values.containsKey(metric)).toList();
    return new Chart.Series(metric, with.stream().mapToDouble(Entry::step).toArray(),
        with.stream().mapToDouble(e -> e.number(metric)).toArray());
  }

  private record Line(String text, Entry entry) { }

  private static List<Line> parse(Path file) throws IOException {
    // Malformed UTF-8 becomes a replacement character here, and a bad line below, rather than an error without a place.
    String all = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    var lines = new ArrayList<Line>();
    int number = 0;
    for (int start = 0, end; start < all.length(); start = end + 1) {
      end = all.indexOf('\n', start);
      number++;
      if (end < 0) break;
      String text = all.substring(start, end).strip();
      if (text.isEmpty()) continue;
      try {
        lines.add(new Line(text, entry(JSON.readTree(text))));
      } catch (JsonProcessingException | IllegalArgumentException e) {
        if (all.substring(end).isBlank()) break;
        throw new IOException(file + " line " + number + ": expected an object with an integer 'step', found "
            + excerpt(text), e);
      }
    }
    return lines;
  }

  private static Entry entry(JsonNode node) {
    var step = node.path("step");
    if (!node.isObject() || !step.canConvertToLong() || !step.isIntegralNumber())
      throw new IllegalArgumentException("no integer 'step'");
    var values = new LinkedHashMap<String, JsonNode>();
    node.properties().forEach(member -> values.put(member.getKey(), member.getValue()));
    values.remove("step");
    return new Entry(step.longValue(), values);
  }

  private static String excerpt(String text) { return text.length() <= 80 ? text : text.substring(0, 80) + "…"; }
}
