import Glibc
import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirRelay

@Suite("Where an output writes")
struct OutputTargetTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func wholeLines(_ text: String, at position: Int) -> Int {
        Array(text.utf8).withUnsafeBytes { OutputTarget.wholeLines(in: $0, at: position) }
    }

    @Test(
        "As many lines are written as fit into a page, or one that crosses its border",
        arguments: [
            ("a\nbb\nccc\n", 0, 9), ("a\nbb\nccc\n", 4087, 9), ("a\nbb\nccc\n", 4088, 5), ("a\nbb\nccc\n", 4091, 5),
            ("a\nbb\nccc\n", 4092, 2), ("a\nbb\nccc\n", 4094, 2), ("a\nbb\nccc\n", 4095, 2), ("a\nbb\nccc\n", 4096, 9),
            ("a\nbb\nccc\n", 8190, 2), ("rest", 0, 4), ("rest", 4095, 4), ("a\nrest", 0, 2), ("", 0, 0),
            ("\n", 4095, 1),
        ]
    )
    func fits(text: String, position: Int, count: Int) {
        #expect(Self.wholeLines(text, at: position) == count)
    }

    private func target(_ name: String) throws(SystemError) -> OutputTarget {
        let output = try SinkOutput(appendingTo: folder.path + "/" + name, sink: JSONLinesSink(withBytes: false))
        return OutputTarget(output)
    }

    private static func write(_ text: String, to target: inout OutputTarget) -> Int {
        Array(text.utf8).withUnsafeBytes { target.write($0) }
    }

    private func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    @Test("Lines that cross a page's border are written alone, from where the file ends")
    func pages() throws {
        _ = try folder.file("log", Array((String(repeating: "x", count: 4085) + "\n").utf8))
        var target = try target("log")
        defer { close(target.raw) }
        // Before its size is known, everything is written at once.
        #expect(try !target.renew())
        #expect(Self.write("a\nbb\nccc\ndddd\n", to: &target) == 9)
        #expect(Self.write("dddd\neeee\n", to: &target) == 5)
        #expect(Self.write("eeee\n", to: &target) == 5)
        #expect(try text("log").hasSuffix("x\na\nbb\nccc\ndddd\neeee\n"))
        #expect(target.file == nil && target.timeLeft == nil && target.boundary == nil && target.fullSize == nil)
        let ends = target.ends(before: .max, pending: .max)
        #expect(!ends)
    }

    @Test("After a failure the beginning of a line is removed, and nothing else")
    func cuts() throws {
        var target = try target("log")
        defer { close(target.raw) }
        target.cutToWhole()
        #expect(Self.write("one\ntwo\nthr", to: &target) == 11)
        #expect(Self.write("e", to: &target) == 1)
        target.cutToWhole()
        #expect(try text("log") == "one\ntwo\n")
        // Who shares the descriptor writes behind what is left.
        #expect(lseek(target.raw, 0, SEEK_CUR) == 8)
        #expect(Self.write("three\n", to: &target) == 6)
        target.cutToWhole()
        #expect(try text("log") == "one\ntwo\nthree\n")
        // What another program has appended stays.
        #expect(Self.write("fo", to: &target) == 2)
        let other = open(folder.path + "/log", O_WRONLY | O_APPEND)
        #expect(Glibc.write(other, "other\n", 6) == 6)
        close(other)
        target.cutToWhole()
        #expect(try text("log") == "one\ntwo\nthree\nfoother\n")
    }

    @Test("A file that was renamed, deleted or replaced is begun anew, and one that is there is kept")
    func renews() throws {
        var target = try target("log")
        let first = target.raw
        defer { close(first) }
        #expect(try !target.renew() && Self.write("a\n", to: &target) == 2)
        #expect(rename(folder.path + "/log", folder.path + "/old") == 0)
        #expect(try target.renew() && Self.write("b\nhalf", to: &target) == 2)
        #expect(try text("old") == "a\n" && text("log") == "b\n")
        #expect(unlink(folder.path + "/log") == 0)
        #expect(try target.renew() && !target.renew() && Self.write("c\n", to: &target) == 2)
        #expect(try text("log") == "c\n")
        #expect(rename(folder.path + "/old", folder.path + "/log") == 0)
        #expect(try target.renew() && Self.write("d\n", to: &target) == 2)
        #expect(try text("log") == "a\nd\n")
    }

    @Test("Pages are those of the file that is written to: of a new one from its beginning")
    func pagesOfNewFile() throws {
        _ = try folder.file("log", Array((String(repeating: "x", count: 4089) + "\n").utf8))
        var target = try target("log")
        let first = target.raw
        defer { close(first) }
        #expect(try !target.renew() && Self.write("a\nbb\nccc\ndddd\n", to: &target) == 5)
        #expect(unlink(folder.path + "/log") == 0)
        #expect(try target.renew() && Self.write("a\nbb\nccc\ndddd\n", to: &target) == 14)
    }

    @Test("A file whose path cannot be looked at is kept; a path that leads nowhere any more is an error")
    func keepsBehindLoop() throws {
        var target = try target("log")
        defer { close(target.raw) }
        #expect(unlink(folder.path + "/log") == 0 && symlink(folder.path + "/log", folder.path + "/log") == 0)
        #expect(try !target.renew() && Self.write("a\n", to: &target) == 2)
        #expect(mkdir(folder.path + "/folder", 0o700) == 0)
        var other = try self.target("folder/log")
        defer { close(other.raw) }
        #expect(unlink(folder.path + "/folder/log") == 0 && rmdir(folder.path + "/folder") == 0)
        var error = errorNumber { try other.renew() }
        #expect(error == ENOENT)
        _ = try folder.file("folder", [])
        error = errorNumber { try other.renew() }
        #expect(error == ENOTDIR)
        // The file is still open, and is written to.
        #expect(Self.write("b\n", to: &other) == 2)
    }

    private func errorNumber(_ body: () throws -> Bool) -> Int32 {
        do { return try body() ? -1 : 0 } catch { return (error as? SystemError)?.error.rawValue ?? -2 }
    }

    @Test(
        "After a full disk has cut a capture's block, the file ends with the last whole one",
        .needsRoot,
        arguments: CaptureSettings.Format.allCases,
        [false, true]
    )
    func cutsBlocks(format: CaptureSettings.Format, inOne: Bool) throws {
        let disk = try SmallDisk(size: 64 << 10)
        let files = try CaptureFiles(disk.path + "/a", format: format)
        var target = OutputTarget(files)
        defer { close(target.raw) }
        var settings = CaptureSettings(seed: 1)
        settings.format = format
        var sink = CaptureSink(settings)
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        sink.render(record(.opened), bytes: RawSpan(), into: &output)
        if !inOne {
            let (first, size) = (output.withUnsafeBytes { target.write($0) }, output.count)
            #expect(first == size)
            target.cutToWhole()
            output.removeAll()
        }
        let bytes = [UInt8](repeating: 7, count: 1000)
        for number in UInt64(0)..<200 {
            sink.render(record(chunk(.upstream, at: number * 1000, 1000)), bytes: bytes.span.bytes, into: &output)
        }
        var error: Int32 = 0
        while !output.isEmpty, error == 0 {
            let count = output.withUnsafeBytes { target.write($0) }
            if count > 0 { output.removeFirst(count) } else { error = errno }
        }
        #expect(error == ENOSPC)
        let full = try TemporaryFolder.read(files.path).count
        target.cutToWhole()
        let file = try TemporaryFolder.read(files.path)
        let capture = try SeenCapture(file)
        #expect(capture.error == nil && file.count <= full && file.count > full - 2000 && capture.packets.count > 50)
        withExtendedLifetime(disk) {}
    }

    @Test(
        "What another program has appended to a whole capture stays",
        arguments: [CaptureSettings.Format.pcapng, .pcap]
    )
    func keepsAppended(format: CaptureSettings.Format) throws {
        let files = try CaptureFiles(folder.path + "/capture", format: format)
        var target = OutputTarget(files)
        defer { close(target.raw) }
        var settings = CaptureSettings(seed: 1)
        settings.format = format
        var sink = CaptureSink(settings)
        var output = ByteBuffer()
        sink.begin(at: 0, into: &output)
        sink.render(record(.opened), bytes: RawSpan(), into: &output)
        let count = output.withUnsafeBytes { target.write($0) }
        #expect(count == output.count)
        let other = open(files.path, O_WRONLY | O_APPEND)
        #expect(Glibc.write(other, "other", 5) == 5)
        close(other)
        target.cutToWhole()
        #expect(try TemporaryFolder.read(files.path) == output.withUnsafeBytes { Array($0) } + Array("other".utf8))
    }

    @Test("What is no file of a path's own is never begun anew")
    func keeps() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        var target = OutputTarget(lent: ends[1])
        #expect(try !target.renew() && target.raw == ends[1] && target.file == nil)
        #expect(Self.write("a\nb", to: &target) == 3)
        target.cutToWhole()
        #expect(try target.beginFile(at: 0) == "" && target.raw == ends[1])
    }

    @Test("A capture's file ends by its time, or when it is full and has more than its head")
    func ends() throws {
        let rotation = FileRotation(size: 100, every: .seconds(10))
        let files = try CaptureFiles(folder.path + "/", rotation: rotation, clock: { 5_000_000_000 })
        var target = OutputTarget(files)
        let second: Int64 = 1_000_000_000
        #expect(target.boundary == 10 * second && target.fullSize == 100 && target.time == 5 * second)
        #expect(target.timeLeft == .milliseconds(5050) && target.file == files.path)
        var ends = [target.ends(before: 10 * second - 1, pending: 0), target.ends(before: 10 * second, pending: 0)]
        target.noteHead(99)
        ends += [target.ends(before: 0, pending: 99), target.ends(before: 0, pending: 100)]
        target.noteHead(100)
        ends += [target.ends(before: 0, pending: 100), target.ends(before: 0, pending: 101)]
        #expect(Self.write(String(repeating: "x", count: 60), to: &target) == 60)
        ends += [target.ends(before: 0, pending: 40), target.ends(before: 0, pending: 41)]
        #expect(try target.beginFile(at: 10 * second) == files.path)
        #expect(target.file != files.path)
        ends.append(target.ends(before: 0, pending: 100))
        #expect(target.boundary == 20 * second)
        #expect(ends == [false, true, false, true, false, true, false, true, false])
        close(target.raw)
    }
}
