import Foundation
import Support
import Testing
import WeirAnalysis

@testable import weir

@Suite("The folder of exported files")
struct ExportFolderTests {
    private let outer: TemporaryFolder
    private let path: String

    init() throws {
        outer = try TemporaryFolder()
        path = outer.path + "/files"
    }

    /// Writes a file, and returns its path below the folder.
    private func write(_ folder: ExportFolder, _ target: String, _ text: String = "x") throws -> String {
        let written = try folder.write(Array(text.utf8), named: ExportName(target: target))
        #expect(written.hasPrefix(path + "/"))
        return String(written.dropFirst(path.count + 1))
    }

    private func read(_ name: String) throws -> String {
        String(decoding: try TemporaryFolder.read(path + "/" + name), as: UTF8.self)
    }

    /// The paths of everything beside and below the folder.
    private var all: Set<String> {
        let paths = FileManager.default.enumerator(atPath: outer.path)?.compactMap { $0 as? String }
        return Set(paths ?? [])
    }

    @Test("Is created, with folders in it, and files that only their owner reads")
    func creates() throws {
        let folder = try ExportFolder(path)
        #expect(try write(folder, "/a/b/c.txt", "one") == "a/b/c.txt")
        #expect(try read("a/b/c.txt") == "one")
        #expect(try write(folder, "/a/d") == "a/d")
        var status = stat()
        #expect(stat(path + "/a/b/c.txt", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(path + "/a", &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(all == ["files", "files/a", "files/a/b", "files/a/b/c.txt", "files/a/d"])
    }

    @Test("No file is overwritten: names that repeat, or that were there, get numbers")
    func repeats() throws {
        let folder = try ExportFolder(path)
        _ = try outer.file("files/c.txt", Array("mine".utf8))
        #expect(try (0..<3).map { try write(folder, "/c.txt", "\($0)") } == ["c-2.txt", "c-3.txt", "c-4.txt"])
        #expect(try read("c.txt") == "mine" && read("c-2.txt") == "0" && read("c-4.txt") == "2")
        let again = try ExportFolder(path)
        #expect(try write(again, "/c.txt") == "c-5.txt")
    }

    @Test("A file in the place of a folder, and a folder in that of a file, are left as they are")
    func kinds() throws {
        let folder = try ExportFolder(path)
        #expect(try write(folder, "/a", "file") == "a")
        #expect(try write(folder, "/a/b") == "a-2/b")
        #expect(try write(folder, "/d/e") == "d/e")
        #expect(try write(folder, "/d") == "d-2")
        #expect(try read("a") == "file")
    }

    @Test("Links in the folder lead nowhere: what they point to is never written, nor what is in it")
    func links() throws {
        let folder = try ExportFolder(path)
        let target = try outer.file("target", Array("mine".utf8))
        let other = outer.path + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        for (name, destination) in [("file", target), ("folder", other), ("dangling", outer.path + "/new")] {
            try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: destination)
        }
        #expect(try write(folder, "/file") == "file-2")
        #expect(try write(folder, "/dangling") == "dangling-2")
        #expect(try write(folder, "/dangling/x") == "dangling-3/x")
        #expect(try write(folder, "/folder/x") == "folder-2/x")
        #expect(try write(folder, "/folder/../x") == "folder-2/_./x")
        #expect(try TemporaryFolder.read(target) == Array("mine".utf8))
        #expect(Set(all.filter { !$0.hasPrefix("files") }) == ["target", "other"])
    }

    @Test("Hostile names stay within", arguments: 0..<4)
    func hostile(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let folder = try ExportFolder(path)
        let pieces = ["/", "..", ".", "%2e", "%2f", "%00", "a", "%", "~", " ", String(repeating: "long", count: 100)]
        for _ in 0..<100 {
            let target = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                pieces[Int.random(in: pieces.indices, using: &random)]
            }.joined()
            _ = try write(folder, target)
        }
        #expect(all.allSatisfy { $0 == "files" || $0.hasPrefix("files/") })
    }

    @Test("What is no folder, or cannot be one, is a failure")
    func failures() throws {
        let file = try outer.file("plain", [])
        for path in [file, file + "/x", outer.path + "/no/such"] {
            let failure = #expect(throws: Failure.self) { _ = try ExportFolder(path) }
            #expect(failure?.code == .cannotCreate && failure?.message.contains("'\(path)'") == true, "\(path)")
        }
    }
}
