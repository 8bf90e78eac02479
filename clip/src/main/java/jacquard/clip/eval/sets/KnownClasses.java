package jacquard.clip.eval.sets;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/// Class names and templates of the sets that are known, and what ImageNet's and ObjectNet's folders mean.
public final class KnownClasses {
  private static final ObjectMapper JSON = new ObjectMapper();
  /// In which ImageNet's classes have names.
  private static final List<String> LANGUAGES = List.of("en", "ar", "cn", "it", "jp");
  private static final Map<String, JsonNode> READ = new ConcurrentHashMap<>();

  private KnownClasses() {}

  private static JsonNode json(String name) {
    return READ.computeIfAbsent(name, n -> {
      try { return JSON.readTree(Benchmarks.resource(n + ".json")); }
      catch (JsonProcessingException e) { throw new IllegalStateException("the table " + n + ".json is broken", e); }
    });
  }

  /// Of a set; null where its folder brings them.
  ///
  /// @param language `en`, or one in which the set has names: `ar`, `cn`, `it`, `jp` for ImageNet
  /// @throws IllegalArgumentException where it has none in the language
  public static Prompts of(Benchmark set, String language) {
    if (set.prompts().equals("-") || set.prompts().equals("built-in")) return null;
    if (set.prompts().startsWith("openai:")) {
      english(set, language);
      return prompts(json("openai_prompts").get("datasets").get(set.prompts().substring("openai:".length())),
          "classes");
    }
    if (set.prompts().equals("imagenet1k")) return imagenet(set.classes(), language);
    english(set, language);
    var node = json(set.prompts());
    if (!set.classes().startsWith("0..")) return prompts(node, set.classes().equals("-") ? "classes" : set.classes());
    int last = Integer.parseInt(set.classes().substring("0..".length()));
    return Prompts.of(IntStream.rangeClosed(0, last).mapToObj(Integer::toString).toList(),
        texts(node.get("templates")));
  }

  private static void english(Benchmark set, String language) {
    if (!language.equals("en"))
      throw new IllegalArgumentException(set.name() + " has class names in en alone, not in " + language);
  }

  /// Whether these are the names of a known set, in its order: some of ImageNet's are equal, in every language.
  public static boolean published(List<String> classes) {
    return LANGUAGES.stream().anyMatch(l -> imagenet("-", l).classes().equals(classes)) || Benchmarks.all().stream()
        .map(s -> of(s, "en")).anyMatch(p -> p != null && p.classes().equals(classes));
  }

  private static Prompts imagenet(String which, String language) {
    if (!LANGUAGES.contains(language))
      throw new IllegalArgumentException("ImageNet has class names in en, ar, cn, it and jp, not in " + language);
    var node = json(language.equals("en") ? "imagenet1k" : "imagenet1k_" + language);
    var all = prompts(node, "classes");
    return switch (which) {
      case "-" -> all;
      case "objectnet" -> Prompts.of(objects().stream()
          .map(o -> json("imagenet_maps").get("objectnet_label_of_folder").get(o)
          .asText().toLowerCase(Locale.ROOT)).toList(), texts(node.get("templates")));
      default -> all.only(StreamSupport.stream(json("imagenet_maps").get(which).spliterator(), false)
          .map(JsonNode::asInt).toList());
    };
  }

  private static Prompts prompts(JsonNode node, String key) {
    var classes = new ArrayList<String>();
    var names = new ArrayList<List<String>>();
    for (var c : node.get(key)) {
      var of = c.isArray() ? texts(c) : List.of(c.asText());
      classes.add(of.getFirst());
      names.add(of);
    }
    return Prompts.of(classes, names, texts(node.get("templates")));
  }

  private static List<String> texts(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }

  /// ObjectNet's 113 folders that are classes of ImageNet, sorted.
  private static List<String> objects() {
    var r = new ArrayList<String>();
    json("imagenet_maps").get("objectnet").fieldNames().forEachRemaining(r::add);
    r.sort(null);
    return r;
  }

  /// The labels that a set's folders have by their names: WordNet ids, ImageNet V2's numbers or ObjectNet's objects.
  /// Empty where class names say it.
  public static Map<String, Integer> folders(Benchmark set) {
    var r = new TreeMap<String, Integer>();
    if (!set.prompts().equals("imagenet1k") && !set.row().equals("babel_imagenet")) return r;
    if (set.classes().equals("objectnet")) {
      var objects = objects();
      for (int i = 0; i < objects.size(); i++) r.put(objects.get(i), i);
      return r;
    }
    var ids = texts(json("imagenet_maps").get("wnids"));
    var some = set.classes().equals("-") ? IntStream.range(0, ids.size()).boxed().toList()
        : StreamSupport.stream(json("imagenet_maps").get(set.classes()).spliterator(), false).map(JsonNode::asInt)
            .toList();
    for (int i = 0; i < some.size(); i++) {
      r.put(ids.get(some.get(i)), i);
      if (set.classes().equals("-")) r.put(Integer.toString(i), i);
    }
    return r;
  }

  /// The 80 templates that a set without its own uses.
  public static List<String> usualTemplates() { return texts(json("imagenet1k").get("templates")); }
}
