package android.content.res;

import android.os.ParcelFileDescriptor;
import java.io.Closeable;

public abstract class AssetFileDescriptor implements Closeable {
  public abstract ParcelFileDescriptor getParcelFileDescriptor();

  public abstract long getStartOffset();

  public abstract long getLength();
}
