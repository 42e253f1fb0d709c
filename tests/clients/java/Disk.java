import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/** Files that must survive, and the profile. */
final class Disk {
    private Disk() {}

    /** Writes a file so that it is whole and on stable storage, or not there. */
    static void store(Path path, byte[] data) throws Exception {
        Path folder = Files.createDirectories(path.getParent());
        Path fresh = path.resolveSibling("." + path.getFileName() + ".new");
        try (var file = FileChannel.open(
                fresh,
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            var bytes = ByteBuffer.wrap(data);
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.force(true);
        }
        Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (var directory = FileChannel.open(folder)) {
            directory.force(true);
        }
    }

    /** The texts of profile.toml, those of a table as `table.key`: as much TOML as `xianjie` writes. */
    static Map<String, String> profile(Path path) throws Exception {
        var texts = new HashMap<String, String>();
        String table = "";
        for (String line : Files.readAllLines(path)) {
            line = line.strip();
            if (line.startsWith("[")) {
                table = line.substring(1, line.indexOf(']')) + ".";
            } else if (line.contains("=") && !line.startsWith("#")) {
                String[] parts = line.split("=", 2);
                texts.put(table + parts[0].strip(), parts[1].strip().replaceAll("^\"|\"$", ""));
            }
        }
        return texts;
    }
}
