import Glibc
public import WeirFlow

/// Makes the files of a capture: the first when it is made itself, the next ones when they are due.
///
/// A file is made with the mode 0600, and never takes the place of one that is there.
public struct CaptureFiles: Sendable {
    /// Names the file that is written.
    public private(set) var path: String
    let rotation: FileRotation
    /// Reads the time of day, in nanoseconds since 1970 UTC.
    let clock: @Sendable () -> Int64
    /// Is open for writing, and belongs to whoever writes the capture.
    private(set) var descriptor: Int32
    private let maker: any FileMaker
    /// Says that the capture goes into files, not into a pipe or a device.
    let isRegular: Bool
    let format: CaptureSettings.Format

    private static let patience: Int64 = 50_000_000

    private let name: CaptureName
    private var number: Int
    /// Says when the file ends by its time, in nanoseconds since 1970 UTC.
    private(set) var boundary: Int64?
    private var finished: [String] = []

    /// Makes the first file.
    ///
    /// - Parameters:
    ///   - path: the file's name; in a folder, which a `/` at the end makes if it is missing, a name is made up; what is there
    ///     and is no regular file is written to.
    ///   - format: what a made-up name ends with.
    ///   - rotation: when the next file begins.
    ///   - clock: reads the time of day, in nanoseconds since 1970 UTC.
    ///   - whenWaiting: Is called before the reader of a named pipe is waited for.
    /// - Throws: `SystemError` where it cannot be made, or is there.
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

    /// Makes the first file by the right of somebody else.
    ///
    /// - Parameters:
    ///   - path: as above.
    ///   - format: as above.
    ///   - rotation: as above.
    ///   - clock: as above.
    ///   - maker: makes and deletes the files.
    ///   - whenWaiting: as above.
    /// - Throws: `SystemError` where it cannot be made, or is there.
    package init(
        _ path: String,
        format: CaptureSettings.Format,
        rotation: FileRotation,
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now().wallNanoseconds },
        maker: any FileMaker,
        whenWaiting: () -> Void = {}
    ) throws(SystemError) {
        // Whoever may not make it is told so when the file is made.
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

    /// Says whether a file of so many bytes is full.
    func isFull(_ size: Int) -> Bool { rotation.size.map { size >= $0 } ?? false }

    /// Says whether what happens at a time belongs to the next file.
    func isOver(at time: Int64) -> Bool { boundary.map { time >= $0 } ?? false }

    /// Says how long the file still goes on while nothing happens: a little longer than its time, for records that are on
    /// their way.
    func timeLeft(at time: Int64) -> Duration? {
        boundary.map { .nanoseconds(max(0, $0 - time + Self.patience)) }
    }

    /// Begins the next file at a time, and deletes the oldest one where there are too many.
    ///
    /// - Returns: the name of the file that has ended.
    /// - Throws: `SystemError` where it cannot be made; then the file goes on.
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

    /// Deletes the file: nothing came of the run that it was made for.
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
