import Glibc
import Support
import Testing
import WeirEngine

@testable import WeirRelay

@Suite("An output that is shared with other programs")
struct OutputWriterTests {
    private static func write(_ writer: OutputWriter, _ count: Int) throws -> Int {
        try [UInt8](repeating: 7, count: count).withUnsafeBytes { try writer.write($0) }
    }

    @Test("A file takes everything, a pipe as much as it surely has room for")
    func files() throws {
        let folder = try TemporaryFolder()
        let descriptor = open(try folder.file("a", []), O_WRONLY)
        defer { close(descriptor) }
        #expect(try Self.write(OutputWriter(descriptor), 100_000) == 100_000)
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let writer = OutputWriter(ends[1])
        #expect(writer.raw == ends[1])
        #expect(try Self.write(writer, 100_000) == Int(PIPE_BUF) && Self.write(writer, 10) == 10)
    }

    @Test("A socket takes what fits, and nothing when it is full, though it blocks")
    func sockets() throws {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let writer = OutputWriter(ends[0])
        #expect(try Self.write(writer, 5000) == 5000)
        var (taken, last) = (5000, 1)
        while last > 0 {
            last = try Self.write(writer, 1 << 20)
            taken += last
        }
        var unread: Int32 = 0
        #expect(ioctl(ends[1], UInt(FIONREAD), &unread) == 0 && Int(unread) == taken && taken > 5000)
        #expect(fcntl(ends[0], F_GETFL) & O_NONBLOCK == 0)
    }

    @Test("A pipe that is full and does not block takes nothing; one without a reader is an error, as is no descriptor")
    func failures() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
        let writer = OutputWriter(ends[1])
        while try Self.write(writer, 4096) > 0 {}
        close(ends[0])
        #expect(throws: SystemError("write to standard output", ErrorNumber(EPIPE))) { try Self.write(writer, 1) }
        close(ends[1])
        #expect(throws: SystemError("write to standard output", ErrorNumber(EBADF))) {
            try Self.write(OutputWriter(-1), 1)
        }
    }
}
