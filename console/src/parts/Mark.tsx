/** The mark of the product: a shaft through two pulleys. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 16h26" stroke="currentColor" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="10.5" cy="16" r="6" fill="var(--panel)" stroke="currentColor" strokeWidth="2.4" />
      <circle cx="10.5" cy="16" r="1.6" fill="currentColor" />
      <circle cx="22.5" cy="16" r="4" fill="var(--panel)" stroke="currentColor" strokeWidth="2.4" />
      <circle cx="22.5" cy="16" r="1.3" fill="currentColor" />
    </svg>
  );
}
