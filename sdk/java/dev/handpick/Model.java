package dev.handpick;

import java.io.File;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * An opened bundle. It does not change, and any number of threads use one. Close it when its last
 * session has been made, or later: sessions and overlays keep what they need until they are closed.
 * Using a closed model throws {@link IllegalStateException}.
 */
public final class Model extends NativeObject<ModelHandle> {
  static {
    NativeLibrary.load();
  }

  private final ModelInfo info;
  private final RecallInfo recallInfo;
  private final List<Feature> features;
  // Of each side. No EnumMap: it finds a side's constants by reflection, and apps' shrinkers remove what only that uses.
  private final List<Map<String, Feature>> featuresByName = new ArrayList<>();
  private final List<Output> outputs;

  /**
   * Opens a bundle: maps the file and verifies it. The file must never be written in place while the model
   * is open; to replace it, write a new file and rename it.
   *
   * @throws HandpickException FILE_ERROR, NOT_A_BUNDLE, BUNDLE_TOO_NEW, BUNDLE_TOO_OLD,
   *     BUNDLE_CORRUPT, OUT_OF_MEMORY, UNSUPPORTED; NO_SIGNATURE, WRONG_SIGNATURE ({@link
   *     OpenOptions#setPublicKeys})
   */
  public static @NotNull Model open(@NotNull String path) {
    return open(path, new OpenOptions());
  }

  /** The same, with options. */
  public static @NotNull Model open(@NotNull String path, @NotNull OpenOptions options) {
    return new Model(nativeOpenFile(Text.path(path), options.flags(), options.keys), null);
  }

  /** The same as {@link #open(String)}. */
  public static @NotNull Model open(@NotNull File file) {
    return open(file.getPath());
  }

  /** The same as {@link #open(String, OpenOptions)}. */
  public static @NotNull Model open(@NotNull File file, @NotNull OpenOptions options) {
    return open(file.getPath(), options);
  }

  /**
   * Opens a part of an open file, such as an asset that an APK stores without compression:
   *
   * <pre>{@code
   * AssetFileDescriptor asset = context.getAssets().openFd("model.hpk");
   * Model.open(asset.getParcelFileDescriptor().getFd(), asset.getStartOffset(), asset.getLength());
   * }</pre>
   *
   * @param fd stays the caller's: it may be closed when this has returned
   * @param length -1: to the end of the file
   */
  public static @NotNull Model open(int fd, long offset, long length) {
    return open(fd, offset, length, new OpenOptions());
  }

  /** The same, with options. */
  public static @NotNull Model open(int fd, long offset, long length, @NotNull OpenOptions options) {
    return new Model(nativeOpenFd(fd, offset, length, options.flags(), options.keys), null);
  }

  /**
   * Opens a bundle that lies in memory, between the buffer's position and its limit. Not copied: the bytes must
   * not change while the model is open, and begin at a multiple of 64 bytes, as a mapped file does. For others
   * see {@link OpenOptions#setCopy}.
   *
   * @param buffer a direct one
   */
  public static @NotNull Model open(@NotNull ByteBuffer buffer) {
    return open(buffer, new OpenOptions());
  }

  /** The same, with options. */
  public static @NotNull Model open(@NotNull ByteBuffer buffer, @NotNull OpenOptions options) {
    if (!buffer.isDirect()) {
      throw new HandpickException(Status.INVALID_ARGUMENT, "a bundle has to be in a direct buffer");
    }
    long address =
        nativeOpenBuffer(buffer, buffer.position(), buffer.remaining(), options.flags(), options.keys);
    return new Model(address, options.isCopy() ? null : buffer);
  }

  /** Of the library, for example 0.1.0. */
  public static @NotNull String getLibraryVersion() {
    return Text.required(nativeVersion());
  }

  private Model(long address, Object memory) {
    super(new ModelHandle(address, memory));
    boolean complete = false;
    try {
      long[] numbers = new long[ModelInfo.NUMBERS];
      byte[][] strings = new byte[ModelInfo.STRINGS][];
      nativeInfo(address, numbers, strings);
      info = new ModelInfo(numbers, strings);
      features = readFeatures(address);
      outputs = readOutputs(address);
      recallInfo = readRecall(address);
      complete = true;
    } finally {
      if (!complete) close();
    }
  }

  private List<Feature> readFeatures(long address) {
    List<Feature> list = new ArrayList<>(info.getFeatureCount());
    for (int i = 0; i < Side.values().length; ++i) featuresByName.add(new HashMap<String, Feature>());
    for (int i = 0; i < info.getFeatureCount(); ++i) {
      long[] numbers = new long[8];
      byte[][] strings = new byte[2][];
      nativeFeature(address, i, numbers, strings);
      Feature feature = new Feature(handle, i, numbers, strings);
      list.add(feature);
      featuresByName.get(feature.getSide().ordinal()).put(feature.getName(), feature);
    }
    return Collections.unmodifiableList(list);
  }

  private List<Output> readOutputs(long address) {
    List<Output> list = new ArrayList<>(info.getOutputCount());
    for (int i = 0; i < info.getOutputCount(); ++i) {
      long[] numbers = new long[1];
      byte[][] strings = new byte[1][];
      nativeOutput(address, i, numbers, strings);
      list.add(new Output(handle, i, numbers, strings));
    }
    return Collections.unmodifiableList(list);
  }

  private RecallInfo readRecall(long address) {
    long[] numbers = new long[RecallInfo.NUMBERS];
    float[] measured = new float[1];
    if (!nativeRecallInfo(address, numbers, measured)) return null;
    return new RecallInfo(numbers, measured[0], numbered(numbers[3]), numbered(numbers[4]));
  }

  private Feature numbered(long number) {
    return number < features.size() ? features.get((int) number) : null;
  }

  public @NotNull ModelInfo getInfo() {
    return info;
  }

  /** What its recall index is; null: it has none. */
  public @Nullable RecallInfo getRecallInfo() {
    return recallInfo;
  }

  /** What the model takes, of all sides. */
  public @NotNull List<Feature> getFeatures() {
    return features;
  }

  /**
   * The feature of that name on that side. Look it up once and keep it.
   *
   * @throws HandpickException UNKNOWN_FEATURE
   */
  public @NotNull Feature feature(@NotNull Side side, @NotNull String name) {
    Feature feature = featuresByName.get(side.ordinal()).get(name);
    if (feature == null) {
      throw new HandpickException(
          Status.UNKNOWN_FEATURE,
          "the model has no " + Text.lower(side.name()) + " feature '" + name + "'; it has "
              + featuresByName.get(side.ordinal()).keySet());
    }
    return feature;
  }

  /** What the model says of a candidate. The first one ranks. */
  public @NotNull List<Output> getOutputs() {
    return outputs;
  }

  /**
   * The output of that name.
   *
   * @throws HandpickException UNKNOWN_OUTPUT
   */
  public @NotNull Output output(@NotNull String name) {
    for (Output output : outputs) if (output.getName().equals(name)) return output;
    throw new HandpickException(
        Status.UNKNOWN_OUTPUT, "the model has no output '" + name + "'; it has " + outputs);
  }

  /** Makes a session: one user's context and history, and the memory to rank with. */
  public @NotNull Session newSession() {
    return newSession(new SessionOptions());
  }

  /** The same, with options. */
  public @NotNull Session newSession(@NotNull SessionOptions options) {
    return new Session(handle, options);
  }

  /** Bytes that a session takes: exact, and independent of how many candidates will be scored. */
  public long sessionBytes(@NotNull SessionOptions options) {
    long address = handle.acquire();
    try {
      return nativeSessionBytes(address, options.pack());
    } finally {
      handle.release();
    }
  }

  /**
   * Makes an overlay: items that came after the bundle, and items of it that are to be left out.
   *
   * @param maxItems it can hold, and as many it can hide
   * @throws HandpickException NO_RECALL
   */
  public @NotNull Overlay newOverlay(int maxItems) {
    return new Overlay(handle, recallInfo, maxItems);
  }

  /**
   * Compares every byte with the hashes that the converter wrote. Opening does not: call it once after a
   * download, or in an idle moment.
   *
   * @throws HandpickException BUNDLE_CORRUPT, NO_HASHES
   */
  public void check() {
    long address = handle.acquire();
    try {
      nativeCheck(address);
    } finally {
      handle.release();
    }
  }

  /** {@link #check} so many bytes at a time, for idle moments. It keeps the model. */
  public @NotNull Check newCheck() {
    return new Check(handle, null);
  }

  /**
   * The same with the signature in place of the hashes: whether the bundle is signed with one of these keys, as
   * {@link OpenOptions#setPublicKeys} asks when it is opened.
   *
   * @throws HandpickException NO_SIGNATURE, WRONG_SIGNATURE: it names another key; INVALID_ARGUMENT, UNSUPPORTED
   */
  public @NotNull Check newSignatureCheck(@NotNull PublicKey... publicKeys) {
    return new Check(handle, PublicKey.pack(publicKeys));
  }

  private static native long nativeOpenFile(byte[] path, int flags, byte[] keys);

  private static native long nativeOpenFd(int fd, long offset, long length, int flags, byte[] keys);

  private static native long nativeOpenBuffer(ByteBuffer buffer, int offset, int size, int flags, byte[] keys);

  static native void nativeClose(long address);

  private static native byte[] nativeVersion();

  private static native void nativeInfo(long address, long[] numbers, byte[][] strings);

  private static native void nativeFeature(long address, int feature, long[] numbers, byte[][] strings);

  private static native void nativeOutput(long address, int output, long[] numbers, byte[][] strings);

  private static native boolean nativeRecallInfo(long address, long[] numbers, float[] measured);

  private static native long nativeSessionBytes(long address, int[] options);

  private static native void nativeCheck(long address);
}
