import Glibc
import WeirEngine
public import WeirSinks
public import WeirWire

/// The files of a capture: the first is created at once, the next ones when they are due.
///
/// A file is created with the mode 0600, and never replaces an existing one.
public struct CaptureFiles: Sendable {
    /// The path of the file that is being written.
    public private(set) var path: String
    let rotation: FileRotation
    /// A closure that reads the time of day, in nanoseconds since 1970 UTC.
    let clock: @Sendable () -> Int64
    /// The descriptor of that file, open for writing; it belongs to the writer of the capture.
    private(set) var descriptor: Int32
    private let maker: any FileMaker
    /// Whether the capture goes into regular files, not into a pipe or a device.
    let isRegular: Bool
    let format: CaptureSettings.Format

    private static let patience: Int64 = 50_000_000

    private let name: CaptureName
    private var number: Int
    /// The time at which the file ends, in nanoseconds since 1970 UTC; nil if no time ends it.
    private(set) var boundary: Int64?
    private var finished: [String] = []

    /// Creates the first file.
    ///
    /// - Parameters:
    ///   - path: the file's name; in a folder, which a `/` at the end creates if it is missing, the file gets a name of
    ///     Weir's choice; an existing path that is not a regular file is written to.
    ///   - format: the format, which is the extension of a name of Weir's choice.
    ///   - rotation: when the next file begins.
    ///   - clock: a closure that reads the time of day, in nanoseconds since 1970 UTC.
    ///   - whenWaiting: called before waiting for the reader of a named pipe.
    /// - Throws: `SystemError` if the file cannot be created, or exists.
    public init(
        _ path: String,
        format: CaptureSettings.Format = .pcapng,
        rotation: FileRotation = FileRotation(),
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now().wallNanoseconds },
        whenWaiting: () -> Void = {}
    ) throws(SystemError) {
        try self.init(
            path,
            format: format,
            rotation: rotation,
            clock: clock,
            maker: DirectFiles(),
            whenWaiting: whenWaiting
        )
    }

    /// Creates the first file through a file maker, which may have other rights than this process.
    ///
    /// - Parameters:
    ///   - path: as above.
    ///   - format: as above.
    ///   - rotation: as above.
    ///   - clock: as above.
    ///   - maker: creates and deletes the files.
    ///   - whenWaiting: as above.
    /// - Throws: `SystemError` if the file cannot be created, or exists.
    package init(
        _ path: String,
        format: CaptureSettings.Format,
        rotation: FileRotation,
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now().wallNanoseconds },
        maker: any FileMaker,
        whenWaiting: () -> Void = {}
    ) throws(SystemError) {
        // If this fails, creating the file fails too and reports it.
        if path.hasSuffix("/"), path != "/" { mkdir(path, 0o777) }
        let status = FileStatus(at: path)
        let isFolder = path.hasSuffix("/") || status?.isFolder ?? false
        let several = rotation.hasSeveralFiles
        name = CaptureName(path, isFolder: isFolder, suffix: ".\(format.rawValue)", hasSeveralFiles: several)
        self.format = format
        self.rotation = rotation
        self.clock = clock
        self.maker = maker
        number = 1
        isRegular = isFolder || status?.isRegular ?? true
        let time = clock()
        if isRegular {
            (self.path, descriptor) = try Self.make(name, at: time, &number, maker)
        } else {
            guard !several else {
                throw SystemError("rotate '\(path)'", ErrorNumber(EINVAL), advice: "it is no regular file")
            }
            self.path = path
            descriptor = OutputFile.openWaiting(path, 0, whenWaiting)
            guard descriptor >= 0 else { throw SystemError("write to '\(path)'", .current) }
        }
        boundary = rotation.boundary(after: time)
    }

    /// Returns whether a file of this size in bytes is full.
    func isFull(_ size: Int) -> Bool { rotation.size.map { size >= $0 } ?? false }

    /// Returns whether an event at this time belongs to the next file.
    func isOver(at time: Int64) -> Bool { boundary.map { time >= $0 } ?? false }

    /// Returns how long the file lasts while nothing happens, or nil if no time ends it.
    ///
    /// That is a little longer than its time, for records that are on their way.
    func timeLeft(at time: Int64) -> Duration? {
        boundary.map { .nanoseconds(max(0, $0 - time + Self.patience)) }
    }

    /// Begins the next file at a time; if there are too many files, deletes the oldest one.
    ///
    /// - Returns: the name of the file that has ended.
    /// - Throws: `SystemError` if the next file cannot be created; then the current one continues.
    mutating func next(at time: Int64) throws(SystemError) -> String {
        let ended = path
        number += 1
        let next = try Self.make(name, at: time, &number, maker)
        close(descriptor)
        (path, descriptor) = next
        boundary = rotation.boundary(after: time)
        finished.append(ended)
        if let keep = rotation.keep, finished.count >= keep {
            maker.remove(finished.removeFirst())
        }
        return ended
    }

    /// Deletes the file, because the run that it was created for did not take place.
    public func discard() {
        if isRegular { maker.remove(path) }
    }

    private static func make(
        _ name: CaptureName,
        at time: Int64,
        _ number: inout Int,
        _ maker: any FileMaker
    ) throws(SystemError) -> (String, Int32) {
        while true {
            let path = name.path(at: time, number: number)
            do throws(SystemError) {
                return (path, try maker.make(path))
            } catch {
                guard error.error.rawValue == EEXIST else { throw error }
                guard name.hasNumbers, number < 99_999 else {
                    throw SystemError(error.attempt, error.error, advice: "choose another name: no file is overwritten")
                }
                number += 1
            }
        }
    }
}
