import Foundation
import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Names of capture files")
struct CaptureNameTests {
    private static let time = ManualClock.start.wallNanoseconds

    @Test(
        "Is what was given, or has the time and, where there are several, a number",
        arguments: [
            ("a.pcapng", false, false, 1, "a.pcapng"),
            ("dir.d/a", false, false, 1, "dir.d/a"),
            ("a.pcapng", false, true, 1, "a-20261122T123107Z-00001.pcapng"),
            ("dir.d/a", false, true, 12, "dir.d/a-20261122T123107Z-00012"),
            ("dir/.hidden", false, true, 3, "dir/.hidden-20261122T123107Z-00003"),
            ("dir/a.b.c", false, true, 123_456, "dir/a.b-20261122T123107Z-123456.c"),
            ("Captures/", true, false, 1, "Captures/weir-20261122T123107Z.pcap"),
            ("Captures", true, false, 2, "Captures/weir-20261122T123107Z-2.pcap"),
            ("Captures", true, true, 1, "Captures/weir-20261122T123107Z-00001.pcap"),
        ]
    )
    func name(path: String, isFolder: Bool, several: Bool, number: Int, expected: String) {
        let name = CaptureName(path, isFolder: isFolder, suffix: ".pcap", hasSeveralFiles: several)
        #expect(name.path(at: Self.time, number: number) == expected)
        #expect(name.hasNumbers == (isFolder || several))
    }
}

@Suite("The folder of capture files")
struct CaptureFolderTests {
    @Test("Is the path if that is one, else what is before the last slash, or where the program is")
    func folder() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("a", [])
        for (path, expected) in [
            (folder.path, folder.path), (folder.path + "/", folder.path + "/"), (file, folder.path),
            (folder.path + "/none", folder.path), (folder.path + "/none/a", folder.path + "/none"),
            ("none.pcapng", "."), ("/none.pcapng", "/"), ("/", "/"),
        ] {
            #expect(CaptureName.folder(of: path) == expected)
        }
    }
}

@Suite("Capture files")
struct CaptureFilesTests {
    private static let start = ManualClock.start.wallNanoseconds
    private static let second: Int64 = 1_000_000_000
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func files(_ name: String, _ rotation: FileRotation = FileRotation()) throws(SystemError) -> CaptureFiles {
        try CaptureFiles(folder.path + name, rotation: rotation, clock: { Self.start })
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    @Test("Makes a file that nobody else can read, and never takes the place of one that is there")
    func exclusive() throws {
        let files = try files("/a.pcapng")
        defer { close(files.descriptor) }
        var status = stat()
        #expect(stat(files.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let error = #expect(throws: SystemError.self) { try self.files("/a.pcapng") }
        #expect(
            error?.description
                == "cannot write to '\(files.path)': file exists (EEXIST); choose another name: no file is overwritten"
        )
        #expect(try names == ["a.pcapng"])
    }

    @Test("Makes up a name in a folder, and another one where that is taken")
    func folderName() throws {
        let (first, second) = (try files("/"), try files(""))
        for files in [first, second] { close(files.descriptor) }
        #expect(try names == ["weir-20261122T123107Z-2.pcapng", "weir-20261122T123107Z.pcapng"])
        let made = try files("/made/")
        close(made.descriptor)
        #expect(made.path.hasSuffix("/made/weir-20261122T123107Z.pcapng"))
        let missing = #expect(throws: SystemError.self) { try self.files("/missing/deeper/") }
        #expect(missing?.error.rawValue == ENOENT)
    }

    @Test("Begins the next file with its own time and number, and keeps as many as told")
    func keep() throws {
        var files = try files("/a.pcapng", FileRotation(size: 100, keep: 2))
        #expect(!files.isFull(99) && files.isFull(100))
        let first = files.path
        #expect(try files.next(at: Self.start + 1 * Self.second) == first)
        #expect(try names == ["a-20261122T123107Z-00001.pcapng", "a-20261122T123108Z-00002.pcapng"])
        _ = try files.next(at: Self.start + 1 * Self.second)
        _ = try files.next(at: Self.start + 2 * Self.second)
        #expect(try names == ["a-20261122T123108Z-00003.pcapng", "a-20261122T123109Z-00004.pcapng"])
        close(files.descriptor)
    }

    @Test(
        "Keeps the file that is written alone, or all of them",
        arguments: [(1, [4]), (3, [2, 3, 4]), (nil, [1, 2, 3, 4])] as [(Int?, [Int])]
    )
    func keeps(count: Int?, left: [Int]) throws {
        var files = try files("/a.pcapng", FileRotation(size: 100, keep: count))
        for _ in 0..<3 { _ = try files.next(at: Self.start) }
        #expect(try names == left.map { "a-20261122T123107Z-0000\($0).pcapng" })
        close(files.descriptor)
    }

    @Test("Is never full nor over if nothing ends it")
    func endless() throws {
        let files = try files("/a.pcapng")
        #expect(
            !files.isFull(.max) && !files.isOver(at: .max) && files.timeLeft(at: .max) == nil && files.boundary == nil
        )
        close(files.descriptor)
    }

    @Test("Goes on with the next number where a name is taken")
    func taken() throws {
        for number in 2...4 { _ = try folder.file("a-20261122T123107Z-0000\(number).pcapng", [1]) }
        var files = try files("/a.pcapng", FileRotation(size: 100))
        _ = try files.next(at: Self.start)
        #expect(files.path.hasSuffix("/a-20261122T123107Z-00005.pcapng"))
        #expect(try folder.read("a-20261122T123107Z-00003.pcapng") == [1])
        close(files.descriptor)
    }

    @Test("Is over at exact multiples, and a little later where nothing happens")
    func time() throws {
        var files = try files("/a.pcapng", FileRotation(every: .seconds(60)))
        let boundary = Self.start / (60 * Self.second) * 60 * Self.second + 60 * Self.second
        #expect(!files.isOver(at: boundary - 1) && files.isOver(at: boundary))
        #expect(files.timeLeft(at: boundary) == .milliseconds(50) && files.boundary == boundary)
        #expect(files.timeLeft(at: boundary - 1) == .nanoseconds(50_000_001))
        #expect(files.timeLeft(at: boundary + 50_000_000) == .zero)
        #expect(files.timeLeft(at: boundary + Self.second) == .zero)
        _ = try files.next(at: boundary)
        #expect(!files.isOver(at: boundary) && files.isOver(at: boundary + 60 * Self.second))
        close(files.descriptor)
    }

    @Test("Goes on with its file where the next one cannot be made")
    func cannotGoOn() throws {
        var files = try files("/a.pcapng", FileRotation(size: 100))
        try FileManager.default.removeItem(atPath: folder.path)
        let error = #expect(throws: SystemError.self) { try files.next(at: Self.start) }
        #expect(error?.error.rawValue == ENOENT)
        #expect(files.path.hasSuffix("-00001.pcapng") && write(files.descriptor, "x", 1) == 1)
        close(files.descriptor)
    }

    @Test("Writes to what is no regular file, which cannot be rotated, nor discarded")
    func fifo() throws {
        let path = folder.path + "/fifo"
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let files = try files("/fifo")
        #expect(write(files.descriptor, "abc", 3) == 3)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(read(reader, &bytes, 8) == 3)
        files.discard()
        close(files.descriptor)
        #expect(try names == ["fifo"])
        let error = #expect(throws: SystemError.self) { try self.files("/fifo", FileRotation(size: 1)) }
        #expect(error?.description.hasPrefix("cannot rotate '\(path)': ") == true)
        #expect(error?.description.hasSuffix("(EINVAL); it is no regular file") == true)
    }

    @Test("Takes its file back")
    func discard() throws {
        let files = try files("/a.pcapng")
        files.discard()
        close(files.descriptor)
        #expect(try names == [])
    }
}
