package tenon.apps.cli;

import picocli.CommandLine.IVersionProvider;
import tenon.optim.train.BuildInfo;

/** What {@code --version} prints. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        BuildInfo build = BuildInfo.current();
        return new String[] {"tenon " + build.version() + " (" + build.commit() + ")"};
    }
}
