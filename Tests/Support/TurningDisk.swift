import Foundation

/// Is an ext4 file system in a file that can turn read-only under an open file, as after an error of its device; needs
/// root and a loop device.
///
/// Remounting cannot do that: Linux refuses it while a file is open for writing.
package final class TurningDisk: Sendable {
    private let folder: TemporaryFolder
    private let device: String

    /// Says where it is.
    package var path: String { folder.path + "/disk" }

    /// Tells whether the machine has what it takes.
    package static var isPossible: Bool {
        let kinds = (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)) ?? ""
        return geteuid() == 0 && kinds.contains("\text4\n") && ChildProgram.exists("mkfs.ext4")
            && FileManager.default.fileExists(atPath: "/dev/loop-control")
    }

    /// Makes it and mounts it.
    package init() throws {
        folder = try TemporaryFolder()
        let image = try folder.file("image", [UInt8](repeating: 0, count: 8 << 20))
        try Self.run("mkfs.ext4", ["-q", "-O", "^has_journal", image])
        device = try Self.run("losetup", ["-f", "--show", image]).trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            try FileManager.default.createDirectory(atPath: folder.path + "/disk", withIntermediateDirectories: false)
            try Self.run("mount", ["-o", "errors=remount-ro", device, folder.path + "/disk"])
        } catch {
            _ = try? Self.run("losetup", ["-d", device])
            throw error
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        _ = try? Self.run("losetup", ["-d", device])
    }

    /// Makes the kernel find an error, on which it lets nobody write any more.
    package func turn() throws {
        let name = device.dropFirst("/dev/".count)
        try Data("1".utf8).write(to: URL(fileURLWithPath: "/sys/fs/ext4/\(name)/trigger_fs_error"))
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) throws -> String {
        let ended = try ChildProgram.run(program, arguments)
        guard ended.status == 0 else { throw HelperError("\(program): \(ended.output)") }
        return ended.output
    }
}
