import Foundation
import Glibc
import Support
import Testing
import WeirWire

/// Each fault is one line on standard error with the place of the damage; what stands before it is shown.
@Suite("Faults of weir show", .tags(.capture), .timeLimit(.minutes(2)))
struct ShowFaultTests {
    private let folder: TemporaryFolder
    private let whole: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        let captures = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Captures").standardizedFileURL
        whole = try TemporaryFolder.read(captures.path + "/demo.pcapng")
    }

    /// Runs `weir show`, and returns how many lines it showed.
    @discardableResult
    private func show(
        _ path: String,
        _ options: [String] = ["--packets"],
        status: Int32,
        saying line: String,
        input: WeirProgram.Stream = .pipe,
        launcher: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Int {
        let program = try WeirProgram(["show", path] + options, launcher: launcher, input: input)
        let ended = try await program.finish()
        #expect(ended.status == status, sourceLocation: sourceLocation)
        #expect(ended.errors == "weir: \(line)\n", sourceLocation: sourceLocation)
        return ended.output.count { $0 == UInt8(ascii: "\n") }
    }

    private static let kinds =
        "Weir reads pcap and pcapng, also compressed with gzip, and the JSON Lines of weir relay --log"

    @Test(
        "What is no capture, or empty, ends with 65",
        arguments: [
            ("hello, this is no capture", "it begins with (68 65 6c 6c); \(Self.kinds)"),
            ("", "it is empty"),
        ]
    )
    func noCapture(text: String, reason: String) async throws {
        let path = try folder.file("a", Array(text.utf8))
        #expect(try await show(path, status: 65, saying: "'\(path)': neither a capture nor a log: \(reason)") == 0)
    }

    @Test("A capture that is cut ends with 65, and says where; its packets up to there are shown")
    func cut() async throws {
        let path = try folder.file("a", Array(whole[..<3000]))
        let text =
            "cut short at byte 3000: what begins at byte 2924 has 112 bytes or more, and 76 are there; "
            + "all before it can be used"
        #expect(try await show(path, status: 65, saying: "'\(path)': \(text)") == 16)
        let lines = try await show("-", status: 65, saying: "standard input: \(text)", input: .file(path))
        #expect(lines == 16)
        // So are its flows, with a line before them and one behind.
        #expect(try await show(path, [], status: 65, saying: "'\(path)': \(text)") == 4)
    }

    @Test("A length that cannot be ends with 65, and says where; the packets before it are shown")
    func lyingLength() async throws {
        var bytes = whole
        // The length of the block that begins at byte 1972.
        bytes.replaceSubrange(1976..<1980, with: [0xf0, 0xff, 0xff, 0x7f])
        let path = try folder.file("a.pcapng", bytes)
        let ended = try await WeirProgram(["show", path, "--packets"]).finish()
        #expect(ended.status == 65)
        #expect(ended.errors.hasPrefix("weir: '\(path)': "))
        #expect(ended.errors.contains(" at byte 1972"))
        #expect(ended.errors.split(separator: "\n").count == 1)
        #expect(ended.output.count { $0 == UInt8(ascii: "\n") } == 9)
        var pcap: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]
        pcap += [1, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0] + [UInt8](repeating: 0, count: 60)
        pcap += [1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 60, 0, 0, 0] + [UInt8](repeating: 0, count: 60)
        let classic = try folder.file("a.pcap", pcap)
        let text = "damaged at byte 100: a packet of 4294967295 bytes is longer than 262144; all before it can be used"
        #expect(try await show(classic, status: 65, saying: "'\(classic)': \(text)") == 1)
    }

    @Test("A file that is not there, and a folder, end with 66; one that may not be read with 77", .needsRoot)
    func unreadable() async throws {
        let missing = folder.path + "/missing"
        try await show(missing, status: 66, saying: "cannot open '\(missing)': no such file or folder (ENOENT)")
        try await show(
            folder.path,
            status: 66,
            saying: "'\(folder.path)' has no captures in it, and no logs; name a file, or another folder"
        )
        let secret = try folder.file("secret", whole)
        chmod(secret, 0)
        chmod(folder.path, 0o755)
        try await show(
            secret,
            status: 77,
            saying: "cannot open '\(secret)': permission denied (EACCES)",
            launcher: ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all"]
        )
    }

    #if Gzip
    @Test("What gzip compressed and was cut ends with 65", .needsProgram("gzip"))
    func cutGzip() async throws {
        let path = try folder.file("a", whole)
        #expect(try ChildProgram.run("gzip", [path]).status == 0)
        let bytes = try folder.read("a.gz")
        let cut = try folder.file("cut.gz", Array(bytes[..<500]))
        try await show(
            cut,
            status: 65,
            saying: "'\(cut)': at byte 500, what gzip compressed is cut short; all before it can be used"
        )
        #expect(try await WeirProgram(["show", path + ".gz"]).finish().status == 0)
    }

    @Test("Less than a megabyte that inflates to 256 takes no memory for it", .needsProgram("gzip"))
    func bomb() async throws {
        // A pcap header, and packets of zeros without end: each is 16 bytes that say there are none.
        let head: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]
        let (start, path) = (try folder.file("head", head), folder.path + "/bomb.gz")
        let command = "(cat '\(start)'; head -c 268435456 /dev/zero) | gzip -9 > '\(path)'"
        #expect(try ChildProgram.run("sh", ["-c", command]).status == 0)
        #expect(try TemporaryFolder.read(path).count < 1 << 20)
        // Memory for the program, and not for what it inflates; a sanitizer has more of its own than any limit.
        let limited = TestSize.isSanitized ? [] : ["sh", "-c", "ulimit -d 131072; exec \"$@\"", "sh"]
        let ended = try await WeirProgram(["show", path, "--json"], launcher: limited, seconds: 100).finish()
        #expect(ended.status == 0)
        #expect(ended.errors == "")
        let zeros = folder.path + "/zeros.gz"
        let other = try ChildProgram.run("sh", ["-c", "head -c 268435456 /dev/zero | gzip -9 > '\(zeros)'"])
        #expect(other.status == 0)
        try await show(
            zeros,
            status: 65,
            saying: "'\(zeros)': neither a capture nor a log: it begins with (00 00 00 00); \(Self.kinds)"
        )
    }
    #endif
}
