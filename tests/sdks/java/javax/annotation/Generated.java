package javax.annotation;

/** What Java took away with version 11, and the generated client still writes everywhere. */
public @interface Generated {
    String[] value();

    String date() default "";

    String comments() default "";
}
