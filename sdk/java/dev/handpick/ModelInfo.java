package dev.handpick;

import org.jetbrains.annotations.NotNull;

/** What is in a bundle. Immutable. */
public final class ModelInfo {
  /** Which precision the weights have. */
  public enum Precision {
    UNKNOWN,
    F32,
    INT8,
    F16
  }

  /** How many numbers and strings the library fills in. */
  static final int NUMBERS = 21;

  static final int STRINGS = 3;

  private final long[] numbers;
  private final String name;
  private final String version;
  private final String producer;

  ModelInfo(long[] numbers, byte[][] strings) {
    this.numbers = numbers;
    name = Text.required(strings[0]);
    version = Text.required(strings[1]);
    producer = Text.required(strings[2]);
  }

  public @NotNull String getName() {
    return name;
  }

  public @NotNull String getVersion() {
    return version;
  }

  /** What wrote the bundle. */
  public @NotNull String getProducer() {
    return producer;
  }

  public int getFormatMajor() {
    return (int) numbers[0];
  }

  public int getFormatMinor() {
    return (int) numbers[1];
  }

  public @NotNull Precision getPrecision() {
    long code = numbers[2];
    return code < 0 || code >= Precision.values().length ? Precision.UNKNOWN : Precision.values()[(int) code];
  }

  public int getFeatureCount() {
    return Text.clamp(numbers[3]);
  }

  /** Events that a session keeps, of the longest sequence; 0: none. */
  public int getMaxHistory() {
    return Text.clamp(numbers[4]);
  }

  /** Candidates that go through the model together. */
  public int getTile() {
    return Text.clamp(numbers[5]);
  }

  /** Requests that {@link Session#checkGoldens} replays. */
  public int getGoldenCount() {
    return Text.clamp(numbers[6]);
  }

  public int getStepCount() {
    return Text.clamp(numbers[7]);
  }

  /** Whether it can score; otherwise it is a recall index alone. */
  public boolean hasModel() {
    return numbers[8] != 0;
  }

  /** 0: no catalog. */
  public long getCatalogItems() {
    return numbers[9];
  }

  /** Items of the recall index; 0: none, or there is no index. */
  public long getRecallItems() {
    return numbers[10];
  }

  public long getBundleBytes() {
    return numbers[11];
  }

  /** Embedding tables, used in place. */
  public long getTableBytes() {
    return numbers[12];
  }

  /** Dense weights. */
  public long getDenseBytes() {
    return numbers[13];
  }

  /** What a session with default options takes. */
  public long getSessionBytes() {
    return numbers[14];
  }

  /** What the opened model takes beside the bundle, for its own lists. */
  public long getModelBytes() {
    return numbers[15];
  }

  /** What it takes for packed weights. */
  public long getEngineBytes() {
    return numbers[16];
  }

  public int getOutputCount() {
    return Text.clamp(numbers[17]);
  }

  /** Of the bundle, copied because it was asked for, or because it could not be used where it lies. */
  public long getCopiedBytes() {
    return numbers[18];
  }

  /** Of all bytes, as the converter wrote them; equal for equal files; 0: the bundle has none. */
  public long getContentHash() {
    return numbers[19];
  }

  /**
   * Of the key that the bundle says it is signed with, which {@link OpenOptions#setPublicKeys} alone proves; 0: it
   * is not signed. {@code handpick sign} shows it in 16 hexadecimal digits.
   */
  public long getKeyId() {
    return numbers[20];
  }
}
