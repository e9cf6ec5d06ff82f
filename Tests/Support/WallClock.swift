import Foundation

/// The time of day that a program sees, which a test moves forward and back while the program runs.
///
/// A test must not set the machine's own clock, and a time namespace does not cover it. Instead, a library that is
/// loaded before the C library answers `clock_gettime(CLOCK_REALTIME)`, `gettimeofday` and `time` for the program.
/// Every other clock, and every timer, is the kernel's.
package final class WallClock: Sendable {
    private let folder: TemporaryFolder
    private let offset: FileHandle

    /// Compiles the library: every Swift toolchain requires cc(1).
    package init() throws {
        folder = try TemporaryFolder()
        let source = try folder.file("clock.c", Array(Self.source.utf8))
        let ended = try ChildProgram.run("cc", ["-O1", "-shared", "-fPIC", "-o", folder.path + "/clock.so", source])
        guard ended.status == 0 else { throw HelperError("cc: \(ended.output)") }
        let path = try folder.file("offset", [UInt8](repeating: 0, count: 8))
        guard let handle = FileHandle(forUpdatingAtPath: path) else { throw HelperError("cannot open '\(path)'") }
        offset = handle
    }

    /// The command that starts a program with this clock.
    package var launcher: [String] {
        ["env", "LD_PRELOAD=\(folder.path)/clock.so", "WEIR_TEST_CLOCK=\(folder.path)/offset"]
    }

    /// Sets the clock a number of seconds ahead of the machine's, or behind it if negative, at once.
    package func set(ahead seconds: Int64) throws {
        try offset.seek(toOffset: 0)
        try offset.write(contentsOf: withUnsafeBytes(of: seconds) { Data($0) })
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static volatile int64_t *offset;

        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("WEIR_TEST_CLOCK");
            int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (fd < 0) return;
            void *page = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
            if (page != MAP_FAILED) offset = page;
            close(fd);
        }

        int clock_gettime(clockid_t clock, struct timespec *now) {
            int status = (int)syscall(SYS_clock_gettime, clock, now);
            if (status == 0 && clock == CLOCK_REALTIME && offset) now->tv_sec += *offset;
            return status;
        }

        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            struct timespec time;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &time) != 0) return -1;
            now->tv_sec = time.tv_sec;
            now->tv_usec = time.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *result) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (result) *result = now.tv_sec;
            return now.tv_sec;
        }

        """
}
