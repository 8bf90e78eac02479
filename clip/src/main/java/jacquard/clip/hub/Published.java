package jacquard.clip.hub;

import jacquard.clip.checkpoint.MissingWeights;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Nearest;
import jacquard.clip.settings.Presence;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// Models by name: what a user writes becomes files on disk, downloaded where they are not there yet.
public record Published(Hub hub) {
  private static final String HUB = "hf-hub:", LOCAL = "local-dir:";
  private static final List<String> WEIGHTS = List.of("open_clip_model.safetensors", "open_clip_pytorch_model.bin",
      "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin");

  /// Whether a model's name is an address, and so one of weights too.
  public static boolean address(String model) { return model.startsWith(HUB) || model.startsWith(LOCAL); }

  /// The folder of the tokenizer that a config names, fetched where it is not there yet; null where it is CLIP's own or
  /// of no repository.
  ///
  /// @throws IOException saying why it cannot be had
  public Path tokenizer(ClipConfig config) throws IOException {
    var input = config.text().input();
    if (input.clip() || TokenizerFiles.builtByName(input.tokenizer()) || !Repository.is(input.tokenizer())) return null;
    var r = Repository.of(input.tokenizer());
    if (!tokenizer(r)) throw hub.missing(r, "tokenizer");
    return hub.cached(r, first(r)).orElseThrow().getParent();
  }

  /// @param model a folder or file, `hf-hub:ORG/NAME[@revision]`, `local-dir:FOLDER`, or a model's name (see [Presets])
  /// @param pretrained of a model's name, the tag of published weights or a file or folder; else null
  /// @throws IOException saying what is missing, or why it cannot be downloaded
  /// @throws IllegalArgumentException if there is no such model or tag, with the nearest
  public ModelFiles files(String model, String pretrained) throws IOException {
    if (pretrained != null) return named(model, pretrained);
    if (model.startsWith(HUB)) return repository(Repository.of(model));
    if (model.startsWith(LOCAL)) return ModelFiles.at(Path.of(model.substring(LOCAL.length())));
    var path = Path.of(model);
    if (!Presence.of(path)) throw MissingWeights.at(path);
    var files = ModelFiles.at(path);
    return new ModelFiles(files.config(), files.weights(), tokenizer(files));
  }

  private ModelFiles named(String name, String pretrained) throws IOException {
    var path = Path.of(pretrained);
    boolean json = name.endsWith(".json"), tag = !json && Presets.pretrained(name).containsKey(pretrained);
    boolean there = tag || Files.exists(path) || pretrained.startsWith(HUB);
    if (!there && json) throw MissingWeights.at(path);
    if (!there)
      throw new IllegalArgumentException(name + " has no weights \"" + pretrained + "\", and no such file is here."
          + Nearest.question(pretrained, Presets.pretrained(name).keySet()) + " ./jacquard models --tags " + name
          + " lists all");
    var config = json ? ClipConfig.read(Path.of(name)) : Presets.of(name);
    if (!tag) {
      var of = pretrained.startsWith(HUB) ? repository(Repository.of(pretrained))
          : new ModelFiles(null, path, Files.isDirectory(path) ? path : path.toAbsolutePath().getParent());
      var files = new ModelFiles(new HubConfig(config, HubConfig.preprocess(config)), of.weights(), of.tokenizer());
      return new ModelFiles(files.config(), files.weights(), tokenizer(files));
    }
    config.unsupported().ifPresent(why -> { throw new IllegalArgumentException(name + " is not built yet: " + why); });
    var entry = Presets.pretrained(name, pretrained);
    var described = new HubConfig(entry.quickGelu() ? config.with("quick_gelu=true") : config, entry.preprocess());
    int second = entry.hub().indexOf('/', entry.hub().indexOf('/') + 1);
    var repository = Repository.of(second < 0 ? entry.hub() : entry.hub().substring(0, second));
    var file = second < 0 ? "" : entry.hub().substring(second + 1);
    var weights = file.isEmpty() ? weights(repository)
        : weights(repository, List.of(file.replaceFirst("\\.(bin|pth)$", ".safetensors"), file));
    return with(described, weights, repository);
  }

  /// The model of a repository.
  public ModelFiles repository(Repository r) throws IOException {
    var config = hub.find(r, "open_clip_config.json");
    if (config.isEmpty()) config = hub.find(r, "config.json");
    if (config.isEmpty()) throw hub.missing(r, "open_clip_config.json or config.json");
    hub.find(r, "preprocessor_config.json");
    return with(ModelFiles.config(config.get().getParent()), weights(r), r);
  }

  private ModelFiles with(HubConfig config, Path weights, Repository r) throws IOException {
    if (!config.model().text().input().clip() && !tokenizer(r))
      return new ModelFiles(config, weights, tokenizer(new ModelFiles(config, weights, null)));
    return new ModelFiles(config, weights, config.model().text().input().clip() ? null
        : hub.cached(r, first(r)).orElseThrow().getParent());
  }

  private Path weights(Repository r) throws IOException { return weights(r, WEIGHTS); }

  private Path weights(Repository r, List<String> names) throws IOException {
    for (var name : names) {
      var file = hub.find(r, name);
      if (file.isEmpty()) continue;
      if (!name.endsWith(".index.json")) return file.get();
      if (!(Json.read(file.get()).get("weight_map") instanceof Map<?, ?> map))
        throw new IOException(file.get() + ": weight_map is missing");
      for (var shard : new LinkedHashSet<>(map.values())) hub.file(r, String.valueOf(shard));
      return file.get();
    }
    throw hub.missing(r, String.join(" or ", names));
  }

  /// The folder of a model's tokenizer: beside the weights, else in the cache, else from the hub; null where it is
  /// CLIP's own. What cannot be had is said when a text comes: pictures need none.
  private Path tokenizer(ModelFiles files) throws IOException {
    var name = files.config().model().text().input().tokenizer();
    if (files.config().model().text().input().clip()) return null;
    if (files.tokenizer() != null && TokenizerFiles.in(files.tokenizer(), name) || !Repository.is(name))
      return files.tokenizer();
    var r = Repository.of(name);
    try { return tokenizer(r) ? hub.cached(r, first(r)).orElseThrow().getParent() : files.tokenizer(); }
    catch (IOException notThere) {
      System.getLogger(Published.class.getName()).log(System.Logger.Level.DEBUG, "no tokenizer " + name, notThere);
      return files.tokenizer();
    }
  }

  /// Fetches the tokenizer of a repository; whether it has one.
  private boolean tokenizer(Repository r) throws IOException {
    boolean json = false, found = false;
    for (var name : TokenizerFiles.NAMES) {
      boolean mark = name.endsWith("_config.json") || name.endsWith("_map.json");
      if (json && !mark) continue;                                               // which holds what these do
      boolean has = hub.find(r, name).isPresent();
      json |= has && name.equals("tokenizer.json");
      found |= has && !mark;
    }
    return found;
  }

  /// A file of the tokenizer that the cache has.
  private String first(Repository r) throws IOException {
    for (var name : TokenizerFiles.NAMES) if (hub.cached(r, name).isPresent()) return name;
    throw new IOException(r + " has no tokenizer in the cache");
  }
}
