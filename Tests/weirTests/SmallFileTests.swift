import Glibc
import Support
import Testing

@testable import weir

@Suite("Files that are read whole")
struct SmallFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func result(_ read: () throws(Failure) -> [UInt8]) -> String {
        do throws(Failure) { return "\(try read().count) bytes" } catch {
            return "\(error.code.rawValue) \(error.message)"
        }
    }

    @Test("A file of 1 MiB is read, a larger one is refused", arguments: [0, 1, 65_536, 65_537, 1_048_576, 1_048_577])
    func bounds(count: Int) throws {
        let bytes = Pattern.bytes(count)
        let path = try folder.file("x", bytes)
        #expect(chmod(path, 0o600) == 0)
        guard count <= 1_048_576 else {
            #expect(
                Self.result { () throws(Failure) in try SmallFile.read(path) } == "65 '\(path)' is larger than 1 MiB"
            )
            return
        }
        #expect(try SmallFile.read(path) == bytes && SmallFile.readSecret(path) == bytes)
    }

    @Test("What cannot be read is refused")
    func refuses() {
        let (missing, place) = (folder.path + "/none", folder.path)
        let none = "66 cannot read '\(missing)': no such file or folder (ENOENT)"
        #expect(Self.result { () throws(Failure) in try SmallFile.read(missing) } == none)
        #expect(Self.result { () throws(Failure) in try SmallFile.readSecret(missing) } == none)
        let read = Self.result { () throws(Failure) in try SmallFile.read(place) }
        #expect(read.hasPrefix("66 cannot read '\(place)': "))
    }

    @Test(
        "A secret is its owner's and a group's alone, and only a secret is",
        arguments: [(0o600, nil), (0o660, nil), (0o604, "read"), (0o602, "write"), (0o606, "read"), (0o601, nil)]
            as [(mode_t, String?)]
    )
    func secrets(mode: mode_t, right: String?) throws {
        let path = try folder.file("x", [1, 2, 3])
        #expect(chmod(path, mode) == 0)
        #expect(try SmallFile.read(path) == [1, 2, 3])
        let read = Self.result { () throws(Failure) in try SmallFile.readSecret(path) }
        let message = "64 '\(path)' holds a secret, and every user can \(right ?? "") it; run: chmod o= '\(path)'"
        #expect(read == (right == nil ? "3 bytes" : message))
    }

    @Test("A pipe's secret is taken, whatever its mode")
    func pipes() throws {
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o666) == 0 && chmod(path, 0o666) == 0)
        let writing = try Background {
            let descriptor = open(path, O_WRONLY)
            _ = write(descriptor, [1, 2] as [UInt8], 2)
            close(descriptor)
        }
        #expect(try SmallFile.readSecret(path) == [1, 2])
        try writing.value()
    }
}
