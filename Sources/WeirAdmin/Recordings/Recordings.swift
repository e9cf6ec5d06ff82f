import Glibc
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

/// The recordings of the relayed traffic, in one folder and nowhere else: it starts, stops and finds them.
actor Recordings {
    /// A recording.
    struct Recording: Sendable {
        var name: String
        var bytes: Int
        /// The time of the last write, in ns since 1970 UTC.
        var modified: Int64
        var isActive: Bool
    }

    private struct Running {
        var attachment: Supervisor.Attachment
        var descriptor: Int32
    }

    /// The maximum number of simultaneous recordings: each one costs a copy of every byte.
    private static let most = 8
    private static let endings = [".pcapng", ".pcap"]

    private let relay: Supervisor
    private let folder: String
    private let capture: CaptureSettings
    private var running: [String: Running] = [:]
    private var starting: Set<String> = []

    init(_ relay: Supervisor, _ settings: AdminSettings) {
        self.relay = relay
        folder = settings.capturesFolder.hasSuffix("/") ? settings.capturesFolder : settings.capturesFolder + "/"
        capture = settings.recording
    }

    /// Returns whether a name is allowed in the folder: plain characters, no leading dot, and a capture's extension.
    static func isName(_ name: String) -> Bool {
        guard (1...128).contains(name.utf8.count), !name.hasPrefix("."), endings.contains(where: name.hasSuffix) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// Starts a recording into a new file.
    ///
    /// - Parameters:
    ///   - name: the file's name; nil to derive one from the time.
    ///   - legs: the legs of each flow that are recorded.
    ///   - format: the file's format.
    /// - Returns: the running recording.
    /// - Throws: `AnswerError` if the name is wrong or taken, or too many run.
    func start(
        _ name: String?,
        _ legs: CaptureSettings.Legs,
        _ format: CaptureSettings.Format
    ) async throws -> Recording {
        if let name {
            guard Self.isName(name), name.hasSuffix(".\(format.rawValue)") else {
                throw AnswerError.problem(
                    400,
                    "a recording's name has letters, digits, '.', '-' and '_', and ends with .\(format.rawValue)"
                )
            }
        }
        guard running.count + starting.count < Self.most else {
            throw AnswerError.problem(409, "\(Self.most) recordings run, the most at once")
        }
        mkdir(folder, 0o700)
        if let name { try refuseTaken(folder + name) }
        let files: CaptureFiles
        do throws(SystemError) {
            files = try CaptureFiles(folder + (name ?? ""), format: format)
        } catch {
            throw AnswerError.problem(error.error.rawValue == EEXIST ? 409 : 500, "\(error)")
        }
        let made = String(files.path.dropFirst(folder.count))
        starting.insert(made)
        defer { starting.remove(made) }
        var settings = capture
        settings.seed = .random(in: 0 ... .max)
        settings.legs = legs
        settings.format = format
        let output = SinkOutput(recordingTo: files, sink: CaptureSink(settings), overflow: .drop)
        let attachment = try await relay.attach(output)
        running[made] = Running(attachment: attachment, descriptor: output.descriptor)
        return Recording(name: made, bytes: 0, modified: SystemClock.now().wallNanoseconds, isActive: true)
    }

    /// Refuses a path where there is anything: a pipe would be waited for, and a folder would get a file.
    private func refuseTaken(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        let advice = "choose another name: no file is overwritten"
        throw AnswerError.problem(409, "\(SystemError("write to '\(path)'", ErrorNumber(EEXIST), advice: advice))")
    }

    /// Stops a recording, whose file is then complete.
    func stop(_ name: String) async throws -> Recording {
        guard let recording = running.removeValue(forKey: name) else {
            _ = try find(name)
            throw AnswerError.problem(409, "the recording '\(name)' does not run")
        }
        await relay.detach(recording.attachment)
        close(recording.descriptor)
        return try find(name)
    }

    /// Returns the recordings in the folder, in the order of their names.
    func all() -> [Recording] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if Self.isName(name) { names.append(name) }
        }
        return names.sorted().compactMap { try? find($0) }
    }

    /// Finds a recording.
    func find(_ name: String) throws -> Recording {
        guard let file = openFile(name) else { throw AnswerError.problem(404, "there is no such recording") }
        defer { close(file.descriptor) }
        return Recording(
            name: name,
            bytes: file.status.st_size,
            modified: Int64(file.status.st_mtim.tv_sec) * 1_000_000_000 + Int64(file.status.st_mtim.tv_nsec),
            isActive: running[name] != nil
        )
    }

    /// Opens a recording for reading; the descriptor is the caller's.
    func read(_ name: String) throws -> (descriptor: Int32, size: Int) {
        guard let file = openFile(name) else { throw AnswerError.problem(404, "there is no such recording") }
        return (file.descriptor, file.status.st_size)
    }

    private func openFile(_ name: String) -> (descriptor: Int32, status: stat)? {
        guard Self.isName(name) else { return nil }
        // A link could lead out of the folder, and opening a pipe would block.
        let descriptor = open(folder + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        return (descriptor, status)
    }
}
