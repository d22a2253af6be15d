import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the lines that the handpick command takes and prints: maps, lists, strings, and numbers as their text. */
final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String text) {
    return (Map<String, Object>) new Json(text).value();
  }

  private Object value() {
    char first = text.charAt(at);
    if (first == '{') {
      Map<String, Object> map = new LinkedHashMap<>();
      for (++at; text.charAt(at) != '}'; skip(',')) {
        String key = string();
        skip(':');
        map.put(key, value());
      }
      ++at;
      return map;
    }
    if (first == '[') {
      List<Object> list = new ArrayList<>();
      for (++at; text.charAt(at) != ']'; skip(',')) list.add(value());
      ++at;
      return list;
    }
    if (first == '"') return string();
    int begin = at;
    while (at < text.length() && ",]}".indexOf(text.charAt(at)) < 0) ++at;
    return text.substring(begin, at);
  }

  private String string() {
    int end = text.indexOf('"', at + 1);
    String string = text.substring(at + 1, end);
    if (string.indexOf('\\') >= 0) throw new IllegalArgumentException("an escape in " + string);
    at = end + 1;
    return string;
  }

  private void skip(char c) {
    if (text.charAt(at) == c) ++at;
  }
}
