package jacquard.clip.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.files.FolderLock;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.report.log.EventLog;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Presence;
import jacquard.clip.train.ranks.Parts;
import jacquard.clip.train.task.Rows;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The folder of one run, which nobody else writes to: `open_clip_config.json`, `last/`, `best/` and `averages/` with
/// weights that OpenCLIP loads, `resume.safetensors`, `metrics.jsonl`, TensorBoard events, `arguments.json`,
/// `report.png` and `report.html`. A run that never made a step leaves no folder.
public final class RunFolder implements AutoCloseable {
  private static final String RESUME = "resume", STATE = RESUME + ".safetensors", METRICS = "metrics.jsonl",
      CONFIG = "open_clip_config.json", ARGUMENTS = "arguments.json", LOCK = ".lock";

  private final Path path;
  private final boolean resumed, created;
  private final FolderLock lock;
  private List<Path> tokenizer = List.of();
  private String hub;
  private Path events;

  private RunFolder(Path path, boolean resumed, boolean created, FolderLock lock) {
    this.path = path;
    this.resumed = resumed;
    this.created = created;
    this.lock = lock;
  }

  /// The folder of a new run.
  ///
  /// @throws IOException if it is in use, holds a run, or cannot be written
  public static RunFolder begin(Path path) throws IOException {
    boolean created = !Files.exists(path);
    var lock = FolderLock.take(path);
    if (stepped(path)) {
      lock.close();
      throw new IOException(path + " holds a run already; go on with --resume or choose another --name");
    }
    var r = new RunFolder(path, false, created, lock);
    // of a run that was killed before its first step
    r.clear();
    return r;
  }

  /// The folder of a run that goes on from its last checkpoint, or from the start where none was saved.
  ///
  /// @throws IOException if it is in use or holds no run
  public static RunFolder resume(Path path) throws IOException {
    made(path);
    return new RunFolder(path, true, false, FolderLock.take(path));
  }

  /// The folder that another rank has begun or goes on with: read, and never written to.
  public static RunFolder follow(Path path, boolean resumed) { return new RunFolder(path, resumed, false, null); }

  /// How many steps the run in a folder had made when it was last saved; 0 where none was.
  ///
  /// @throws IOException if the folder holds no run, or a checkpoint of another version
  public static long made(Path path) throws IOException {
    if (!Presence.of(path) || !Files.isDirectory(path))
      throw new IOException(path + " is no folder of a run: there is nothing to resume");
    var saved = saved(path);
    if (saved.isPresent()) return State.step(saved.get());
    if (!Files.exists(path.resolve(METRICS)))
      throw new IOException(path + " holds no run to resume: neither " + STATE + " nor " + METRICS);
    return 0;
  }

  /// The file with all that going on with the run in a folder needs: one, or the index of parts that its ranks wrote.
  /// Where a kill left both, that of the later step.
  public static Optional<Path> saved(Path path) throws IOException {
    Path whole = path.resolve(STATE), parts = path.resolve(Parts.index(RESUME));
    if (!Files.exists(parts)) return Files.exists(whole) ? Optional.of(whole) : Optional.empty();
    return Optional.of(Files.exists(whole) && State.step(whole) > State.step(parts) ? whole : parts);
  }

  /// The model of a run that was saved, without weights: its config, and the folder with its tokenizer.
  ///
  /// @throws IOException naming the file that is missing or damaged
  public static ModelFiles files(Path path) throws IOException {
    return new ModelFiles(HubConfig.read(path.resolve(CONFIG)), null, path.resolve("last"));
  }

  public Path path() { return path; }

  /// The files of the models' tokenizer, which are copied beside their weights; none where it is CLIP's own.
  public void tokenizer(List<Path> files) { tokenizer = List.copyOf(files); }

  /// Whether there is a checkpoint to go on from.
  boolean saved() throws IOException { return (lock != null || resumed) && saved(path).isPresent(); }

  Path state() throws IOException { return saved(path).orElse(path.resolve(STATE)); }

  /// What the models of this run are, and how pictures are prepared for them.
  void describe(ClipConfig config, PreprocessConfig preprocess) throws IOException {
    var root = new ObjectMapper().createObjectNode();
    root.set("model_cfg", config.json());
    root.set("preprocess_cfg", preprocess.json());
    hub = root.toPrettyString() + "\n";
    AtomicFile.write(path.resolve(CONFIG), hub);
  }

  /// Writes weights into a folder of their own, which is returned.
  Path publish(String name, Map<String, Safetensors.Array> weights) throws IOException {
    var to = Files.createDirectories(path.resolve(name));
    AtomicFile.write(to.resolve(CONFIG), hub);
    for (var f : tokenizer) {
      var copy = to.resolve(f.getFileName());
      if (!Files.exists(copy)) AtomicFile.write(copy, Files.readAllBytes(f));
    }
    Safetensors.write(to.resolve("open_clip_model.safetensors"), weights, Map.of("format", "pt"));
    return to;
  }

  void save(State state, long step, Map<String, Map<String, Safetensors.Array>> stored) throws IOException {
    state.save(path.resolve(STATE), step, stored);
    Parts.remove(path, RESUME);
  }

  /// The same by all ranks, each of which writes a part.
  void save(State state, long step, Rows rows) throws IOException {
    state.save(path, RESUME, step, rows);
    if (lock != null) Files.deleteIfExists(path.resolve(STATE));
  }

  /// The log of metrics, without what the run makes again.
  MetricLog metrics(long step) throws IOException {
    return resumed ? MetricLog.resume(path.resolve(METRICS), step) : MetricLog.create(path.resolve(METRICS));
  }

  EventLog events(long step) throws IOException {
    var log = resumed ? EventLog.resume(path, step) : EventLog.create(path);
    events = log.file();
    return log;
  }

  /// What the log of metrics says.
  List<MetricLog.Entry> logged() throws IOException {
    return Files.exists(path.resolve(METRICS)) ? MetricLog.read(path.resolve(METRICS)) : List.of();
  }

  /// The command that began a run.
  ///
  /// @param folder    where it was given
  /// @param arguments without the command's name
  public record Command(String folder, List<String> arguments) {
    public static Command here(List<String> arguments) {
      return new Command(Path.of("").toAbsolutePath().toString(), List.copyOf(arguments));
    }
  }

  /// Writes down how the run began.
  public void remember(Command command) throws IOException {
    var root = new ObjectMapper().createObjectNode().put("folder", command.folder);
    command.arguments.forEach(root.putArray("arguments")::add);
    AtomicFile.write(path.resolve(ARGUMENTS), root + "\n");
  }

  /// How the run in a folder began.
  public static Optional<Command> command(Path path) throws IOException {
    var file = path.resolve(ARGUMENTS);
    if (!Files.exists(file)) return Optional.empty();
    var root = Json.read(file);
    if (root.get("folder") instanceof String folder && root.get("arguments") instanceof List<?> arguments)
      return Optional.of(new Command(folder, arguments.stream().map(Object::toString).toList()));
    throw new IOException(file + " does not say how the run began, expected {\"folder\": …, \"arguments\": […]}; give "
        + "the options of its first command with --resume");
  }

  private static boolean stepped(Path path) throws IOException {
    var metrics = path.resolve(METRICS);
    return saved(path).isPresent() || Files.exists(metrics) && Files.size(metrics) > 0;
  }

  /// Takes away what a run without a step has written; what others put there stays.
  private void clear() throws IOException {
    for (var name : created ? List.of(METRICS, ARGUMENTS, CONFIG) : List.of(METRICS, ARGUMENTS))
      Files.deleteIfExists(path.resolve(name));
    if (events != null) Files.deleteIfExists(events);
  }

  @Override public void close() throws IOException {
    try (lock) {
      if (lock == null || resumed || stepped(path)) return;
      clear();
      if (!created) return;
      Files.deleteIfExists(path.resolve(LOCK));
      try { Files.delete(path); } catch (DirectoryNotEmptyException e) { System.getLogger(RunFolder.class.getName())
          .log(System.Logger.Level.DEBUG, "others wrote to " + path, e); }
    }
  }
}
